'use strict';

// What is shown is always put in as text, never as markup: events hold what strangers wrote.

const byId = (id) => document.getElementById(id);

/** A new element: `kind` is `tag` or `tag.class.class`; children are elements or texts. */
function make(kind, ...children) {
  const [tag, ...classes] = kind.split('.');
  const element = document.createElement(tag);
  if (classes.length > 0) element.className = classes.join(' ');
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

/** Sets the text if it is another: what has not changed is not laid out anew. */
function setText(element, text) {
  if (element.shownText === text) return;
  element.shownText = text;
  element.textContent = text;
}

function setData(element, name, value) {
  if (element.dataset[name] !== value) element.dataset[name] = value;
}

function setHidden(element, hidden) {
  if (element.hidden !== hidden) element.hidden = hidden;
}

function showNotice(element, text) {
  setText(element, text);
  setHidden(element, text === '');
}

const wholeNumber = new Intl.NumberFormat('en-US');

/** 12,345; from a million on 1.2 M. */
function countText(value) {
  if (value < 1e6) return wholeNumber.format(value);
  return value < 1e9 ? `${(value / 1e6).toFixed(1)} M` : `${(value / 1e9).toFixed(1)} G`;
}

/** A rate: `·` for none, so that a column of quiet endpoints stays calm. */
function rateText(perSecond) {
  if (!(perSecond > 0)) return '·';
  if (perSecond < 9.95) return perSecond.toFixed(1);
  return countText(Math.round(perSecond));
}

function durationText(seconds) {
  if (seconds < 0.0005) return '<1 ms';
  if (seconds < 1) return `${Math.round(seconds * 1000)} ms`;
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`;
  if (seconds < 60) return `${Math.floor(seconds)} s`;
  const units = [[86400, 'd', 3600, 'h'], [3600, 'h', 60, 'min'], [60, 'min', 1, 's']];
  for (const [big, bigName, small, smallName] of units) {
    if (seconds < big) continue;
    const rest = Math.floor((seconds % big) / small);
    return `${Math.floor(seconds / big)} ${bigName}${rest > 0 ? ` ${rest} ${smallName}` : ''}`;
  }
  return '';
}

const ageText = (milliseconds) =>
  milliseconds < 1000 ? 'now' : `${durationText(Math.floor(milliseconds / 1000))} ago`;

const two = (number) => String(number).padStart(2, '0');

/** Time of day where the reader is; what is older than a day gets its date. */
function clockText(time) {
  const at = time instanceof Date ? time : new Date(time);
  if (Number.isNaN(at.getTime())) return '–';
  const day = `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())} `;
  const clock = `${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}`;
  return (Date.now() - at.getTime() < 86400e3 ? '' : day) + clock;
}

function timeElement(text) {
  const element = make('time', clockText(text));
  element.dateTime = text;
  element.title = text;
  return element;
}

/** For a row of a table: what is longer is told beside the page. */
const brief = (text) => (text.length <= 160 ? text : `${text.slice(0, 160)}…`);

const plural = (count, noun) => `${countText(count)} ${noun}${count === 1 ? '' : 's'}`;

// JSON is shown as it was received: numbers beyond 2^53, 1.10 and keys that are there twice would
// not survive JSON.parse.
const jsonToken = /"[^"\\]*(?:\\.[^"\\]*)*"|[{}[\],:]|[^\s{}[\],:"]+/gs;

/** The JSON text with line breaks and indentation, each token as it was. */
function prettyJson(text) {
  const tokens = text.match(jsonToken) ?? [];
  let depth = 0;
  let out = '';
  const newLine = () => { out += '\n' + '  '.repeat(Math.min(depth, 40)); };
  tokens.forEach((token, index) => {
    const isOpening = token === '{' || token === '[';
    const isClosing = token === '}' || token === ']';
    const before = tokens[index - 1];
    if (isClosing) depth -= 1;
    if (isClosing && before !== '{' && before !== '[') newLine();
    out += token === ':' ? ': ' : token;
    if (isOpening) depth += 1;
    const after = tokens[index + 1];
    if (token === ',' || (isOpening && after !== '}' && after !== ']')) newLine();
  });
  return out;
}

/** The text of a member of the JSON object, as it stands there; null if there is none. */
function rawMember(text, name) {
  const key = JSON.stringify(name);
  let depth = 0;
  let begin = -1;
  let before = '';
  for (const { 0: token, index } of text.matchAll(jsonToken)) {
    const isEnd = depth === 1 && (token === ',' || token === '}');
    if (begin >= 0 && isEnd) return text.slice(begin, index).trim();
    if (depth === 1 && token === ':' && before === key) begin = index + 1;
    if (token === '{' || token === '[') depth += 1;
    if (token === '}' || token === ']') depth -= 1;
    before = token;
  }
  return null;
}

const shownJsonMax = 256 * 1024;

function jsonBlock(text) {
  const pretty = prettyJson(text);
  const block = make('pre', pretty.slice(0, shownJsonMax));
  block.tabIndex = 0;
  if (pretty.length <= shownJsonMax) return block;
  return make('div', block, make('p.dim', 'The rest is not shown.'));
}

/** At most one call of `act` per `wait` ms, the last one never lost. */
function notTooOften(act, wait) {
  let timer = 0;
  return () => {
    clearTimeout(timer);
    timer = setTimeout(act, wait);
  };
}

/** A button that acts at the second press only, within five seconds. */
function askTwice(button, question, act) {
  let timer = 0;
  const calm = () => {
    clearTimeout(timer);
    delete button.dataset.asking;
    button.textContent = button.calmText;
  };
  button.addEventListener('click', () => {
    if (button.dataset.asking === undefined) {
      button.calmText = button.textContent;
      button.dataset.asking = '';
      button.textContent = question();
      timer = setTimeout(calm, 5000);
      return;
    }
    calm();
    act();
  });
}
