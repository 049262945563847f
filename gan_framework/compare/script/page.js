"use strict";
const data = JSON.parse(document.getElementById("data").textContent);
// A group has its settings, budgets and curves by their numbers: names of foreign runs are never keys.
const settingOf = (g, i) => g.settings[i] ?? "";
for (const g of data.groups) g.name = data.settings.map((name, i) => i in g.settings ? `${name}=${g.settings[i]}` : null).filter(part => part !== null).join(", ") || "all settings equal";

// -- the table: a column is a title, a value to sort by and a text to show -----------------------
const columns = [
  { title: "rank", value: g => g.rank },
  ...data.settings.map((name, i) => ({ title: name, text: true, value: g => settingOf(g, i) })),
  { title: "seeds", value: g => g.seeds, show: g => g.seeds === g.runs ? `${g.seeds}` : `${g.seeds} of ${g.runs}` },
  { title: "last", value: g => g.last[0], show: g => spread(g.last) },
  { title: "best", value: g => g.best[0], show: g => spread(g.best) },
  ...["images", ...data.players, "seconds"].map((name, i) => ({ title: name, value: g => g.budgets[i], show: g => count(g.budgets[i], i > data.players.length ? 1 : 0) })),
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

// -- the samples ---------------------------------------------------------------------------------
function drawGrids() {
  const time = Number(document.getElementById("time").value);
  document.getElementById("grids").replaceChildren(...shown().filter(g => g.grids.length).map(g => {
    const grid = g.grids[Math.round(time * (g.grids.length - 1))];
    return element("figure", {}, element("img", { src: grid.image, alt: `Samples at step ${grid.step}` }), element("figcaption", { textContent: `${g.rank}. ${g.name} (step ${grid.step})` }));
  }));
}

// -- all of it ------------------------------------------------------------------------------------
const MOST = 20;
const first = data.figures.indexOf(`eval/${data.metric}`);
const figures = [...data.figures.keys()].sort((a, b) => (b === first) - (a === first) || data.figures[a].localeCompare(data.figures[b]));
document.getElementById("figure").append(...figures.map(i => element("option", { value: i, textContent: data.figures[i] })));
function drawLines() {
  const figure = Number(document.getElementById("figure").value);
  drawCurves(shown().filter(g => figure in g.curves).slice(0, MOST), figure, data.figures[figure] ?? "", document.getElementById("log").checked);
}
const drawCharts = () => { drawSeeds(shown().slice(0, MOST)); drawLines(); drawCoordinates(shown()); };
const drawAll = () => { drawTable(); drawCharts(); drawGrids(); };
document.getElementById("figure").onchange = document.getElementById("log").onchange = drawLines;
document.getElementById("time").oninput = drawGrids;
document.getElementById("filter").oninput = drawAll;
let width = innerWidth;
addEventListener("resize", () => { if (innerWidth !== width) { width = innerWidth; drawCharts(); } });
drawAll();
