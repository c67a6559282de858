// The selected hexagons. Panels with the same hexagons form a group and share a selection.

export function groupsOf(content) {
  const groups = [];
  content.panels.forEach((panel, k) => {
    const key = JSON.stringify([panel.radius, panel.origin, panel.hex]);
    const known = groups.find((group) => group.key === key);
    if (known) known.push(k);
    else groups.push(Object.assign([k], { key }));
  });
  return groups;
}

export function makeSelection(store, groups) {
  const groupOf = (panel) => groups.findIndex((group) => group.includes(panel));

  function replace(group, hexes) {
    store.set({
      selection: store.state.selection.map((old, k) => (k === group ? hexes : old)),
    });
  }

  return {
    groupOf,
    of: (panel) => store.state.selection[groupOf(panel)],
    pick(panel, hex, adds) {
      const group = groupOf(panel);
      const old = store.state.selection[group];
      if (hex < 0) {
        if (!adds) replace(group, []);
      } else if (!adds) replace(group, old.length === 1 && old[0] === hex ? [] : [hex]);
      else replace(group, old.includes(hex) ? old.filter((one) => one !== hex) : [...old, hex]);
    },
    take(panel, hexes, adds) {
      const group = groupOf(panel);
      const old = adds ? store.state.selection[group] : [];
      replace(group, [...new Set([...old, ...hexes])]);
    },
    clear: () => store.set({ selection: groups.map(() => []) }),
  };
}
