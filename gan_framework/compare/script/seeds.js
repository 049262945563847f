"use strict";
// The scores of a group's seeds as dots, with their mean and its 95% interval.
function drawSeeds(groups) {
  const scored = groups.filter(g => g.scores.length), chart = document.getElementById("seeds");
  if (!scored.length) return chart.replaceChildren(element("p", { textContent: "No group has a score." }));
  const row = 24, top = 8, height = top + row * scored.length + 44, { width, root } = picture(chart, 280, height);
  const names = Math.min(width * 0.45, 12 + widest(scored.map(g => `${g.rank}. ${g.name}`)) * 0.95), letters = Math.floor(names / 6.8);
  const low = g => g.interval ? g.interval[0] : g.ranked[0], high = g => g.interval ? g.interval[1] : g.ranked[0];
  const ends = scored.flatMap(g => [...g.scores, low(g), high(g)]).filter(Number.isFinite);
  const lowest = Math.min(...ends), highest = Math.max(...ends), edge = (highest / 2 - lowest / 2) * 0.06, least = lowest - edge, most = highest + edge, right = width - 24;
  const x = linear(least, most, names + 16, right, Math.max(2, Math.floor((right - names) / 90))), bottom = height - 40;
  root.setAttribute("aria-label", `${data.metric} of each seed`);
  root.append(
    ...x.ticks.map(([value, text]) => svg("g", {},
      svg("line", { class: "grid", x1: x.place(value), x2: x.place(value), y1: top, y2: bottom }),
      svg("text", { class: "tick", x: x.place(value), y: bottom + 16, "text-anchor": "middle" }, text))),
    svg("text", { x: (names + right) / 2, y: height - 6, "text-anchor": "middle" }, cut(data.metric, 50)));
  const box = element("div", { className: "chart" });
  const rows = scored.map((g, i) => {
    const y = top + row * (i + 0.5), [colour] = look(g.rank);
    return svg("g", { class: "row", "data-rank": g.rank },
      svg("rect", { x: 0, y: y - row / 2, width, height: row }),
      svg("text", { x: names, y: y + 4, "text-anchor": "end" }, cut(`${g.rank}. ${g.name}`, letters)),
      ...(g.interval === null ? [] : [svg("line", { x1: x.place(low(g)), x2: x.place(high(g)), y1: y, y2: y, ...sign(colour, "none", 3) })]),
      ...g.scores.map(value => svg("circle", { class: "seed", cx: x.place(value), cy: y, r: 4, stroke: colour, fill: colour })),
      svg("line", { x1: x.place(g.ranked[0]), x2: x.place(g.ranked[0]), y1: y - 8, y2: y + 8, ...sign(colour, "none", 2.5) }));
  });
  root.append(...rows);
  box.append(root);
  chart.replaceChildren(box);
  const hint = note(box);
  rows.forEach((line, i) => {
    const g = scored[i];
    line.onpointermove = event => {
      const place = root.getBoundingClientRect();
      hint.show(event.clientX - place.left, event.clientY - place.top, element("b", { textContent: spread(g.ranked) }), ` ${g.rank}. ${cut(g.name, 300)}`, element("div", { textContent: `seeds: ${cut(g.scores.map(score).join(", "), 200)}` }));
    };
    line.onpointerleave = () => hint.hide();
  });
}
