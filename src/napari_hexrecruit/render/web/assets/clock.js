// Playback time to bins: a second of the simulation takes `dilation` seconds.

export function makeClock(time, store) {
  let last = null;
  let position = 0;

  function tick(now) {
    if (!store.state.playing) {
      last = null;
      return;
    }
    if (last !== null) advance((now - last) / store.state.dilation / time.step);
    last = now;
    requestAnimationFrame(tick);
  }

  function advance(bins) {
    if (Math.floor(position) !== store.state.bin) position = store.state.bin;
    position += bins;
    if (position < time.n) {
      store.set({ bin: Math.floor(position) });
      return;
    }
    position = store.state.loop ? position % time.n : time.n - 1;
    store.set({ bin: Math.floor(position), playing: store.state.loop });
  }

  store.onChange((changed) => {
    if (changed.has("playing") && store.state.playing) requestAnimationFrame(tick);
  });
  return {
    toggle() {
      const atEnd = store.state.bin === time.n - 1 && !store.state.playing;
      store.set({ playing: !store.state.playing, ...(atEnd ? { bin: 0 } : {}) });
    },
    step(by) {
      const bin = (store.state.bin + by + time.n) % time.n;
      store.set({ bin, playing: false });
    },
    goTo: (bin) => store.set({ bin, playing: false }),
  };
}

export function timeText(time, bin) {
  const from = time.from ? ` from ${time.from}` : "";
  return `${(time.start + bin * time.step).toFixed(time.decimals)} ms${from}`;
}

export function activeMarks(marks, time, bin) {
  const start = time.start + bin * time.step;
  return marks.filter((mark) => mark.start < start + time.bin && mark.stop > start);
}
