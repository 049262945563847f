"use strict";
// Settings and scores: an axis for each, a line for each group.
const AXES = 30, LINES = 200;

function axisOf(label, values, written) {
  const numbers = values.map(v => v === "" ? NaN : Number(v)), known = numbers.filter(Number.isFinite);
  if (known.length < values.length) { // names, one above the other
    const names = [...new Set(values)].sort((a, b) => a.localeCompare(b, "en", { numeric: true })), last = Math.max(names.length - 1, 1);
    return { label, places: values.map(v => names.indexOf(v) / last), ticks: names.map((name, i) => [i / last, name || "–"]) };
  }
  const least = Math.min(...known), most = Math.max(...known);
  const scale = least > 0 && most / least > 20 ? Math.log : v => v / 2; // halves: the difference of any two is a float
  const place = v => most === least ? 0.5 : (scale(v) - scale(least)) / (scale(most) - scale(least));
  const few = [...new Set(known)];
  return { label, places: numbers.map(place), ticks: (few.length > 6 ? [least, most] : few).map(v => [place(v), written(v)]) };
}

function drawCoordinates(all) {
  const groups = all.filter(g => g.last[0] !== null).slice(0, LINES), chart = document.getElementById("coordinates");
  if (!groups.length) return chart.replaceChildren(element("p", { textContent: "No group has a score." }));
  const axes = [
    ...data.settings.slice(0, AXES).map((name, i) => axisOf(name.split(".").slice(-2).join("."), groups.map(g => settingOf(g, i)), setting)),
    axisOf(data.metric, groups.map(g => g.last[0]), score),
  ];
  const good = axes[axes.length - 1].places.map(place => data.higher ? place : 1 - place);
  const [top, bottom, height] = [48, 320, 336], left = 12 + Math.min(150, widest(axes[0].ticks.map(([, text]) => cut(text, 20))));
  const { width, root } = picture(chart, left + 110 * axes.length, height);
  root.setAttribute("aria-label", "The groups' settings and scores");
  const right = width - 110, x = k => axes.length > 1 ? left + (right - left) * k / (axes.length - 1) : left;
  const y = place => bottom + (top - bottom) * place;
  const box = element("div", { className: "chart" });
  root.append(...axes.map((_, k) => svg("line", { class: "axis", x1: x(k), x2: x(k), y1: top, y2: bottom })));
  // From axis to axis as an S, so that lines that cross on an axis can be told apart.
  const path = i => axes.map((axis, k) => {
    if (k === 0) return `M${x(0)} ${y(axis.places[i])}`;
    const middle = (x(k - 1) + x(k)) / 2;
    return `C${middle} ${y(axes[k - 1].places[i])} ${middle} ${y(axis.places[i])} ${x(k)} ${y(axis.places[i])}`;
  }).join("");
  const drawn = groups.map((g, i) => {
    const colour = `hsl(${Math.round(15 + 195 * good[i])} 65% 50%)`;
    return svg("g", { class: "group", "data-rank": g.rank },
      svg("path", { d: path(i), ...sign(colour, "none", groups.length > 40 ? 1 : 2.5) }),
      ...axes.map((axis, k) => svg("circle", { cx: x(k), cy: y(axis.places[i]), r: 3, fill: colour })));
  });
  root.append(...[...drawn].reverse());
  const label = (text, most, place) => svg("text", { class: "label", ...place }, cut(text, most));
  axes.forEach((axis, k) => {
    root.append(svg("text", { class: "title", x: k === axes.length - 1 && k ? x(k) + 96 : x(k), y: 20, "text-anchor": k === 0 ? "start" : k === axes.length - 1 ? "end" : "middle" }, svg("title", {}, axis.label), cut(axis.label, k && k < axes.length - 1 ? 18 : 30)));
    // Labels that would lie over each other are left out; the first and the last stay.
    let free = Infinity;
    for (const [place, text] of [...axis.ticks].sort((a, b) => a[0] - b[0])) {
      if (free - y(place) < 13) continue;
      free = y(place);
      root.append(label(text, 20, { x: x(k) + (k === 0 ? -8 : 8), y: y(place) + 4, "text-anchor": k === 0 ? "end" : "start" }));
    }
  });
  box.append(root);
  chart.replaceChildren(box);
  const hint = note(box);
  drawn.forEach((line, i) => {
    line.onpointermove = event => {
      const place = root.getBoundingClientRect(), g = groups[i];
      root.classList.add("chosen");
      line.classList.add("chosen");
      hint.show(event.clientX - place.left, event.clientY - place.top, element("b", { textContent: spread(g.last) }), ` ${g.rank}. ${cut(g.name, 300)}`);
    };
    line.onpointerleave = () => { root.classList.remove("chosen"); line.classList.remove("chosen"); hint.hide(); };
  });
}
