"use strict";
// What the charts share: elements, numbers as texts, scales with ticks, and the note beside the pointer.
// Texts of runs come to the page as text nodes alone, never as markup.
const element = (name, properties = {}, ...children) => {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
};
const svg = (name, attributes = {}, ...children) => {
  const made = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
};
const cut = (text, most) => text.length > most ? text.slice(0, most - 1) + "…" : text;

// -- numbers -------------------------------------------------------------------------------------
const exponent = (value, digits) => value.toExponential(digits).replace(/e([+-])(\d)$/, "e$10$2");
// As gan_framework.storage.numbers.score writes them, but that halves are rounded up.
function score(value) {
  if (value === null) return "–";
  const size = Math.abs(value);
  if (size < 1e-9) return "0";
  if (Number.isInteger(value) && size < 1e7) return String(value);
  if (size >= 1e4 - 0.5) return size < 1e7 ? value.toFixed(0) : exponent(value, 3);
  return Number(size.toPrecision(4)) < 1e-4 ? exponent(value, 3) : value.toPrecision(4).replace(/\.$/, "");
}
// A deviation, to three digits, without the zeros at its end.
function deviating(value) {
  const rounded = Number(value.toPrecision(3)), size = Math.abs(rounded);
  if (Math.abs(value) < 1e-9) return "0";
  return size >= 1000 ? score(value) : size < 1e-4 ? exponent(rounded, 2).replace(/\.?0+e/, "e") : String(rounded);
}
const spread = ([mean, std]) => mean === null ? "–" : score(mean) + (std === null ? "" : " ± " + deviating(std));
const count = (value, digits = 0) => value === null ? "–" : Math.abs(value) >= 1e15 ? exponent(value, 3)
  : value.toLocaleString("en", { minimumFractionDigits: digits, maximumFractionDigits: digits });
// A setting, of which the digits that tell it from others are shown, and no more: 0.0002, 1e-7, 64.
const setting = value => String(Number(value.toPrecision(4)));
const compact = new Intl.NumberFormat("en", { notation: "compact", maximumSignificantDigits: 4 });

// -- scales --------------------------------------------------------------------------------------
// A scale takes values from [least, most] to [from, to]; its ticks are pairs of a value and a text.
function linear(least, most, from, to, room) {
  if (!(most > least)) [least, most] = least === 0 ? [-1, 1] : [least - Math.abs(least) / 2, least + Math.abs(least) / 2];
  // Halves, so that the difference of the greatest floats is one, too.
  const half = most / 2 - least / 2, rough = 2 * (half / Math.max(room, 1)), power = 10 ** Math.floor(Math.log10(rough));
  const step = power * [1, 2, 5, 10].find(factor => factor * power >= rough * 0.999);
  const place = value => from + (to - from) * ((value / 2 - least / 2) / half);
  const ticks = [], decimals = Math.max(0, -Math.floor(Math.log10(step) + 1e-9));
  const written = value => Math.abs(value) >= 1e6 || decimals > 6 ? setting(value) : value.toFixed(decimals);
  for (let n = Math.ceil(least / step); n <= Math.floor(most / step) && ticks.length < 50; n++) ticks.push([n * step, n === 0 ? "0" : written(n * step)]);
  return { place, ticks, least, most };
}
function logarithmic(least, most, from, to, room) {
  if (!(most > least)) [least, most] = [least / 2, most * 2];
  const low = Math.log10(least), high = Math.log10(most);
  const place = value => from + (to - from) * (Math.log10(value) - low) / (high - low);
  const every = Math.max(1, Math.ceil((high - low) / Math.max(room, 1))), factors = high - low < 1.5 ? [1, 2, 5] : [1];
  const ticks = [];
  for (let n = Math.floor(low); n <= high; n += every) for (const factor of factors) {
    const value = factor * 10 ** n;
    if (value >= least && value <= most) ticks.push([value, setting(value)]);
  }
  return ticks.length > 1 ? { place, ticks, least, most } : { place, ticks: [[least, setting(least)], [most, setting(most)]], least, most };
}
const widest = texts => Math.max(0, ...texts.map(text => text.length)) * 7;

// -- the note beside the pointer -------------------------------------------------------------------
function note(chart) {
  const made = element("div", { className: "note", hidden: true });
  chart.append(made);
  return {
    show(x, y, ...children) {
      made.replaceChildren(...children);
      made.hidden = false;
      const left = x + 14 + made.offsetWidth > chart.clientWidth ? x - 14 - made.offsetWidth : x + 14;
      made.style.left = `${Math.max(0, left)}px`;
      made.style.top = `${Math.max(0, Math.min(y, chart.clientHeight - made.offsetHeight))}px`;
    },
    hide() { made.hidden = true; },
  };
}
// A picture as wide as its place, or wider where it would be too narrow to be read; on paper it shrinks to fit.
function picture(place, least, height) {
  const width = Math.max(place.clientWidth || 900, least);
  return { width, root: svg("svg", { viewBox: `0 0 ${width} ${height}`, style: `min-width: ${least}px`, role: "img" }) };
}
const sign = (colour, dashes, width = 2) => ({ fill: "none", stroke: colour, "stroke-width": width, "stroke-dasharray": dashes, "stroke-linejoin": "round" });
const palette = ["#3366cc", "#dc6e12", "#2a9d4e", "#b8437f", "#7a5cc2", "#158a8f", "#a3761b", "#cc3d3d"];
const DASHES = ["none", "7 3", "2 3"];
// Groups keep their colours whatever is filtered; where there are more groups than colours, lines are dashed.
const look = rank => [palette[(rank - 1) % palette.length], DASHES[Math.floor((rank - 1) / palette.length) % DASHES.length]];
