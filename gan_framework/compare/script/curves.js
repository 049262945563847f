"use strict";
// A metric over training: a line for each group, a band of one deviation over its seeds.
const HEIGHT = 400;
// What the reader has chosen: lines that are hidden, by rank, and the part of the x axis that is looked at.
const chosen = { hidden: new Set(), part: null };

function drawCurves(groups, figure, name, log) {
  const chart = document.getElementById("curves");
  const lines = groups.map(g => {
    const [place, mean, std] = g.curves[figure], [colour, dashes] = look(g.rank);
    return { rank: g.rank, name: `${g.rank}. ${g.name}`, x: data.places[place], mean, std, colour, dashes };
  });
  const again = () => {
    const plot = _plot(lines.filter(line => !chosen.hidden.has(line.rank)), name, log, again, chart);
    chart.querySelector(".chart")?.remove();
    chart.prepend(plot);
    legend.forEach((button, i) => { button.ariaPressed = String(!chosen.hidden.has(lines[i].rank)); });
  };
  const legend = _legend(lines, again);
  chart.replaceChildren(element("div", { className: "legend" }, ...legend));
  again();
}

function _plot(lines, name, log, again, chart) {
  const shown = x => !chosen.part || x >= chosen.part[0] && x <= chosen.part[1];
  const drawable = value => value !== null && (!log || value > 0);
  // On a logarithmic axis a band that reaches zero ends at its line.
  const low = (line, i) => line.std && drawable(line.mean[i] - line.std[i]) ? line.mean[i] - line.std[i] : line.mean[i];
  const high = (line, i) => line.std ? line.mean[i] + line.std[i] : line.mean[i];
  const points = lines.map(line => ({ ...line, at: line.x.map((_, i) => i).filter(i => drawable(line.mean[i]) && shown(line.x[i])) }));
  const there = points.filter(line => line.at.length);
  const box = element("div", { className: "chart" });
  if (!there.length) {
    box.style.minHeight = `${HEIGHT}px`; // else the legend would move away under the second click of two
    box.append(element("p", { textContent: !lines.length ? "No curve to show." : log && !lines.some(line => line.mean.some(drawable)) ? "No value above 0, so none on a log scale." : "No value in this part." }));
    if (chosen.part) box.ondblclick = () => { chosen.part = null; again(); };
    return box;
  }
  const all = (of) => there.flatMap(line => line.at.map(i => of(line, i)));
  const least = (values) => values.reduce((a, b) => Math.min(a, b)), most = (values) => values.reduce((a, b) => Math.max(a, b));
  const [bottom, top] = [HEIGHT - 44, 12];
  const y = (log ? logarithmic : linear)(least(all(low)), most(all(high)), bottom, top, 7);
  const left = 34 + widest(y.ticks.map(([, text]) => text));
  const { width, root } = picture(chart, 280, HEIGHT);
  const right = width - 16, xs = all((line, i) => line.x[i]);
  const x = linear(...(chosen.part ?? [least(xs), most(xs)]), left, right, Math.max(2, Math.floor((right - left) / 90)));
  root.setAttribute("aria-label", `${name} against images seen`);
  const middle = (top + bottom) / 2;
  root.append(
    ...y.ticks.map(([value, text]) => svg("g", {},
      svg("line", { class: "grid", x1: left, x2: right, y1: y.place(value), y2: y.place(value) }),
      svg("text", { class: "tick", x: left - 8, y: y.place(value) + 4, "text-anchor": "end" }, text))),
    ...x.ticks.map(([value]) => svg("g", {},
      svg("line", { class: "grid", x1: x.place(value), x2: x.place(value), y1: top, y2: bottom }),
      svg("text", { class: "tick", x: x.place(value), y: bottom + 17, "text-anchor": "middle" }, compact.format(value)))),
    svg("text", { x: (left + right) / 2, y: HEIGHT - 6, "text-anchor": "middle" }, "images seen"),
    svg("text", { x: 13, y: middle, "text-anchor": "middle", transform: `rotate(-90 13 ${middle})` }, cut(name, 50)),
  );
  const at = (line, i, value) => `${x.place(line.x[i]).toFixed(1)} ${y.place(value(line, i)).toFixed(1)}`;
  for (const line of there) if (line.std && line.at.length > 1) {
    const edge = [...line.at.map(i => at(line, i, high)), ...[...line.at].reverse().map(i => at(line, i, low))];
    root.append(svg("path", { class: "band", d: `M${edge.join("L")}Z`, fill: line.colour }));
  }
  const mean = (line, i) => line.mean[i];
  for (const line of [...there].reverse()) { // the best on top
    root.append(line.at.length > 1
      ? svg("path", { class: "curve", "data-rank": line.rank, d: `M${line.at.map(i => at(line, i, mean)).join("L")}`, ...sign(line.colour, line.dashes) })
      : svg("circle", { class: "curve", "data-rank": line.rank, cx: x.place(line.x[line.at[0]]), cy: y.place(mean(line, line.at[0])), r: 4, fill: line.colour }));
  }
  const cursor = svg("line", { class: "cursor", y1: top, y2: bottom, visibility: "hidden" });
  const area = svg("rect", { class: "part", y: top, height: bottom - top, width: 0 });
  root.append(area, cursor);
  box.append(root);
  _pointer(box, root, { there, x, y, left, right, width, cursor, area, again });
  return box;
}

// Under the pointer, the values of all lines where the nearest point of any is; dragging looks at a part.
function _pointer(box, root, { there, x, left, right, width, cursor, area, again }) {
  const hint = note(box);
  let from = null;
  const inside = event => {
    const place = root.getBoundingClientRect();
    return Math.max(left, Math.min(right, (event.clientX - place.left) * width / place.width));
  };
  const value = place => x.least + (x.most - x.least) * (place - left) / (right - left);
  root.onpointermove = event => {
    const place = inside(event);
    if (from !== null) {
      area.setAttribute("x", Math.min(from, place));
      area.setAttribute("width", Math.abs(place - from));
    }
    let nearest = there[0].x[there[0].at[0]];
    for (const line of there) for (const i of line.at) if (Math.abs(x.place(line.x[i]) - place) < Math.abs(x.place(nearest) - place)) nearest = line.x[i];
    cursor.setAttribute("x1", x.place(nearest));
    cursor.setAttribute("x2", x.place(nearest));
    cursor.setAttribute("visibility", "visible");
    const rows = there.flatMap(line => line.at.filter(i => line.x[i] === nearest).map(i => element("div", {},
      _key(line), element("b", { textContent: spread([line.mean[i], line.std ? line.std[i] : null]) }), ` ${cut(line.name, 70)}`)));
    const box = root.getBoundingClientRect(), scale = box.width / width;
    hint.show(x.place(nearest) * scale, event.clientY - box.top, element("div", { textContent: `${count(nearest)} images` }), ...rows);
  };
  root.onpointerleave = () => { hint.hide(); cursor.setAttribute("visibility", "hidden"); };
  root.onpointerdown = event => {
    if (event.button !== 0 || event.pointerType === "touch") return; // a finger scrolls
    from = inside(event);
    root.setPointerCapture(event.pointerId);
    event.preventDefault();
  };
  root.onpointerup = event => {
    const to = inside(event), begun = from;
    from = null;
    area.setAttribute("width", 0);
    if (begun !== null && Math.abs(to - begun) > 8) {
      chosen.part = [value(begun), value(to)].sort((a, b) => a - b);
      again();
    }
  };
  root.ondblclick = () => { chosen.part = null; again(); };
}

const _key = line => svg("svg", { class: "key", viewBox: "0 0 22 8" }, svg("line", { x1: 0, x2: 22, y1: 4, y2: 4, ...sign(line.colour, line.dashes, 3) }));

// A click hides a line or shows it again; a double click shows it alone, or all of them again.
function _legend(lines, again) {
  const others = line => lines.filter(one => one !== line).map(one => one.rank);
  const alone = line => !chosen.hidden.has(line.rank) && others(line).every(rank => chosen.hidden.has(rank));
  return lines.map(line => element("button", { type: "button", title: line.name, onclick: () => {
    if (!chosen.hidden.delete(line.rank)) chosen.hidden.add(line.rank);
    again();
  }, ondblclick: () => {
    chosen.hidden = new Set(alone(line) ? [] : others(line));
    again();
  } }, _key(line), element("span", { textContent: cut(line.name, 120) })));
}
