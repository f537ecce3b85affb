// Drives Debian's Chromium for the tests: a JSON command per line on stdin, an answer per line on
// stdout. Ends, and the browser with it, when stdin does.
//   {"do": "open", "url", "options"}    a page in a fresh context (options of newContext)
//   {"do": "page", "method", "args"}    any method of the page; `keyboard.press` for its keyboard
//   {"do": "seen"}                      requests, answers, console and errors since "open"
import readline from 'node:readline';
import { chromium } from 'playwright-core';

const limit = 15000;
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: [
    '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
    '--disable-background-networking', '--disable-component-update', '--disable-sync',
  ],
});
let context = null;
let page = null;
let seen = null;

// Before any script of the page, so that no violation is missed.
function watchViolations() {
  document.addEventListener('securitypolicyviolation', (event) => {
    console.error(`violation: ${event.violatedDirective} ${event.blockedURI} ${event.sample}`);
  });
}

async function open({ url, options }) {
  await context?.close();
  context = await browser.newContext(options ?? {});
  context.setDefaultTimeout(limit);
  page = await context.newPage();
  seen = { requests: [], answers: [], console: [], errors: [] };
  const { requests, answers, console: messages, errors } = seen;
  context.on('request', (request) => requests.push(`${request.method()} ${request.url()}`));
  context.on('response', (answer) => {
    const { pathname } = new URL(answer.url());
    answers.push(`${answer.status()} ${answer.request().method()} ${pathname}`);
  });
  page.on('console', (message) => messages.push(`${message.type()}: ${message.text()}`));
  page.on('pageerror', (error) => errors.push(String(error)));
  page.on('dialog', (dialog) => { errors.push('a dialog'); dialog.dismiss(); });
  await page.addInitScript(watchViolations);
  const response = await page.goto(url);
  return { status: response.status(), headers: response.headers() };
}

async function onPage({ method, args }) {
  const parts = method.split('.');
  const name = parts.pop();
  const object = parts.reduce((from, part) => from[part], page);
  const result = await object[name](...(args ?? []));
  const isPlain = result === null || ['string', 'number', 'boolean'].includes(typeof result) ||
    Array.isArray(result) || Object.getPrototypeOf(result ?? {}) === Object.prototype;
  return isPlain && !Buffer.isBuffer(result) ? result : null;
}

async function act(command) {
  if (command.do === 'open') return open(command);
  if (command.do === 'page') return onPage(command);
  return seen;
}

process.stdout.write(`${JSON.stringify({ ok: true, result: browser.version() })}\n`);
for await (const line of readline.createInterface({ input: process.stdin })) {
  let answer;
  try {
    answer = { ok: true, result: await act(JSON.parse(line)) ?? null };
  } catch (error) {
    answer = { ok: false, error: String(error.stack ?? error) };
  }
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}
await browser.close();
