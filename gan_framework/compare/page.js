"use strict";
const data = JSON.parse(document.getElementById("data").textContent);
const element = (name, properties = {}, ...children) => {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
};
const number = (value, digits = 4) => value === null ? "–" : Number(value.toPrecision(digits)).toLocaleString("en");
// Plotly reads markup in every text: titles, names in the legend, labels, what hovers.
const escaped = (text, most = 120) => element("p", { textContent: text.length > most ? text.slice(0, most - 1) + "…" : text }).innerHTML;
// A group has its settings, budgets and curves by their numbers: names of foreign runs are never keys.
const setting = (g, i) => g.settings[i] ?? "";
for (const g of data.groups) g.name = data.settings.map((name, i) => i in g.settings ? `${name}=${g.settings[i]}` : null).filter(part => part !== null).join(", ") || "all settings equal";
const spread = ([mean, std]) => mean === null ? "–" : number(mean) + (std === null ? "" : " ± " + number(std, 3));

// -- the table: a column is a title, a value to sort by and a text to show -----------------------
const columns = [
  { title: "rank", value: g => g.rank },
  ...data.settings.map((name, i) => ({ title: name, text: true, value: g => setting(g, i) })),
  { title: "seeds", value: g => g.seeds, show: g => g.seeds === g.runs ? `${g.seeds}` : `${g.seeds} of ${g.runs}` },
  { title: "last", value: g => g.last[0], show: g => spread(g.last) },
  { title: "best", value: g => g.best[0], show: g => spread(g.best) },
  ...["images", ...data.players, "seconds"].map((name, i) => ({ title: name, value: g => g.budgets[i], show: g => number(g.budgets[i]) })),
  { title: "verdict", text: true, value: g => g.statement },
];
let sorted = { column: 0, ascending: true };
const compare = (a, b) => a === b ? 0 : a === null ? 1 : b === null ? -1 : typeof a === "number" ? a - b : String(a).localeCompare(String(b), "en", { numeric: true });

function shown() {
  const words = document.getElementById("filter").value.toLowerCase().split(/\s+/).filter(Boolean);
  const text = g => `${g.name} ${g.statement}`.toLowerCase();
  return data.groups.filter(g => words.every(word => text(g).includes(word)));
}
function drawTable() {
  const { column, ascending } = sorted;
  const head = columns.map((c, i) => {
    const th = element("th", { className: c.text ? "text" : "", textContent: c.title, onclick: () => { sorted = { column: i, ascending: sorted.column === i ? !sorted.ascending : true }; drawTable(); } });
    if (i === column) th.ariaSort = ascending ? "ascending" : "descending";
    return th;
  });
  const rows = shown().sort((a, b) => (ascending ? 1 : -1) * compare(columns[column].value(a), columns[column].value(b)));
  document.querySelector("#table thead").replaceChildren(element("tr", {}, ...head));
  document.querySelector("#table tbody").replaceChildren(...rows.map(g => element("tr", {}, ...columns.map(c =>
    element("td", { className: c.text ? "text" : "", textContent: c.show ? c.show(g) : c.value(g) })))));
}

// -- the charts ----------------------------------------------------------------------------------
const css = name => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
const layout = more => ({ paper_bgcolor: "transparent", plot_bgcolor: "transparent", font: { color: css("--text"), family: "system-ui, sans-serif", size: 13 }, margin: { l: 60, r: 20, t: 20, b: 48 }, ...more });
const palette = ["#3366cc", "#dc6e12", "#2a9d4e", "#b8437f", "#7a5cc2", "#158a8f", "#a3761b", "#cc3d3d"];
const MOST = 20, AXES = 30;

function drawCurves() {
  const figure = Number(document.getElementById("figure").value), name = escaped(data.figures[figure] ?? "");
  const traces = shown().filter(g => figure in g.curves).slice(0, MOST).flatMap(g => {
    const colour = palette[(g.rank - 1) % palette.length], [place, mean, std] = g.curves[figure], x = data.places[place];
    const edge = sign => mean.map((m, i) => m + sign * std[i]);
    const group = { legendgroup: String(g.rank), line: { color: colour, width: 0 }, hoverinfo: "skip", showlegend: false, mode: "lines" };
    const band = std === null ? [] : [{ x, y: edge(-1), ...group }, { x, y: edge(1), ...group, fill: "tonexty", fillcolor: colour + "2e" }];
    return [
      ...band,
      { x, y: mean, name: escaped(`${g.rank}. ${g.name}`), legendgroup: String(g.rank), mode: x.length > 1 ? "lines" : "markers", line: { color: colour, width: 2 } },
    ];
  });
  Plotly.react("curves", traces, layout({ height: 440, xaxis: { title: { text: "images seen" }, gridcolor: css("--line") }, yaxis: { title: { text: name }, gridcolor: css("--line"), type: document.getElementById("log").checked ? "log" : "linear" }, legend: { orientation: "h", y: -0.2 } }), { responsive: true, displaylogo: false });
}
// -- settings and scores: an axis for each, a line for each group -----------------------------------
function axisOf(label, values) {
  const numbers = values.map(v => v === "" ? NaN : Number(v)), known = numbers.filter(Number.isFinite);
  if (known.length < values.length) { // names, one above the other
    const names = [...new Set(values)].sort((a, b) => a.localeCompare(b, "en", { numeric: true })), last = Math.max(names.length - 1, 1);
    return { label, places: values.map(v => names.indexOf(v) / last), ticks: names.map((name, i) => [i / last, name || "–"]) };
  }
  const least = Math.min(...known), most = Math.max(...known);
  const scale = least > 0 && most / least > 20 ? Math.log : v => v;
  const place = v => most === least ? 0.5 : (scale(v) - scale(least)) / (scale(most) - scale(least));
  const few = [...new Set(known)];
  return { label, places: numbers.map(place), ticks: (few.length > 6 ? [least, most] : few).map(v => [place(v), number(v)]) };
}
function drawCoordinates() {
  const groups = shown().filter(g => g.last[0] !== null).slice(0, 200);
  const scores = groups.map(g => g.last[0]);
  const axes = [...data.settings.slice(0, AXES).map((name, i) => axisOf(name.split(".").slice(-2).join("."), groups.map(g => setting(g, i)))), axisOf(data.metric, scores)];
  const good = axes[axes.length - 1].places.map(place => data.higher ? place : 1 - place);
  const traces = groups.map((g, i) => ({
    x: axes.map((_, k) => k), y: axes.map(axis => axis.places[i]), name: escaped(g.name), showlegend: false, hoverinfo: "text", text: escaped(`${g.rank}. ${g.name}`) + ": " + spread(g.last),
    mode: "lines+markers", line: { color: `hsl(${Math.round(15 + 195 * good[i])} 65% 50%)`, width: groups.length > 40 ? 1 : 2.5, shape: "spline", smoothing: 0.4 }, marker: { size: 5 },
  }));
  const shapes = axes.map((_, k) => ({ type: "line", x0: k, x1: k, y0: 0, y1: 1, line: { color: css("--soft"), width: 1 }, layer: "below" }));
  const text = { showarrow: false, font: { size: 12, color: css("--text") }, bgcolor: css("--back"), opacity: 0.85 };
  const annotations = axes.flatMap((axis, k) => [
    { x: k, y: 1.14, text: `<b>${escaped(axis.label, 40)}</b>`, ...text },
    ...axis.ticks.map(([y, name]) => ({ x: k, y, text: escaped(name, 40), xanchor: k === 0 ? "right" : "left", xshift: k === 0 ? -8 : 8, ...text })),
  ]);
  const still = { visible: false, fixedrange: true };
  Plotly.react("coordinates", traces, layout({ height: 340, margin: { l: 150, r: 90, t: 10, b: 20 }, shapes, annotations, hovermode: "closest", xaxis: { ...still, range: [0, axes.length - 1] }, yaxis: { ...still, range: [-0.06, 1.22] } }), { responsive: true, displayModeBar: false });
}

// -- the samples ---------------------------------------------------------------------------------
function drawGrids() {
  const time = Number(document.getElementById("time").value);
  document.getElementById("grids").replaceChildren(...shown().filter(g => g.grids.length).map(g => {
    const grid = g.grids[Math.round(time * (g.grids.length - 1))];
    return element("figure", {}, element("img", { src: grid.image, alt: `Samples at step ${grid.step}` }), element("figcaption", { textContent: `${g.rank}. ${g.name} (step ${grid.step})` }));
  }));
}

const first = data.figures.indexOf(`eval/${data.metric}`);
const figures = [...data.figures.keys()].sort((a, b) => (b === first) - (a === first) || data.figures[a].localeCompare(data.figures[b]));
document.getElementById("figure").append(...figures.map(i => element("option", { value: i, textContent: data.figures[i] })));
document.getElementById("figure").onchange = document.getElementById("log").onchange = drawCurves;
document.getElementById("time").oninput = drawGrids;
const drawAll = () => { drawTable(); drawCurves(); drawCoordinates(); drawGrids(); };
document.getElementById("filter").oninput = drawAll;
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", drawAll);
drawAll();
