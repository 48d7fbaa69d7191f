// The board of the default page: asks /api/ four times a second and shows which instance answered.
// Works with any number of instances; each is known by the name that the server gives it.

const askEveryMs = 250;
const keptTimes = 80;
// As --row and --gap in style.css, so that each line meets the middle of its row.
const rowHeight = 76;
const rowGap = 8;
const svgNamespace = 'http://www.w3.org/2000/svg';

/** Instances by name ("api#2"): { number, pid, answers, uptime, answeredAt, row, pulse }. */
const instances = new Map();
const times = [];
let answers = 0;
let lost = 0;
let paused = false;

const find = (id) => document.getElementById(id);
const formatCount = new Intl.NumberFormat('en').format;

/** Asks once and counts what came of it. */
async function ask() {
  const startedAt = performance.now();
  try {
    const response = await fetch('/api/', { cache: 'no-store', signal: AbortSignal.timeout(5000) });
    if (!response.ok) throw new Error(`status ${response.status}`);
    countAnswer(await response.json(), performance.now() - startedAt);
  } catch (error) {
    countLoss(error);
  }
}

function countAnswer(answer, elapsedMs) {
  answers++;
  times.push(elapsedMs);
  if (times.length > keptTimes) times.shift();
  const instance = instances.get(answer.instance) ?? addInstance(answer.instance);
  if (instance.pid !== 0 && instance.pid !== answer.pid) {
    report(
      `Instance ${instance.number} is a fresh process: pid ${answer.pid} took the place of ${instance.pid}.`,
    );
  }
  instance.pid = answer.pid;
  instance.uptime = answer.uptime;
  instance.answers++;
  instance.answeredAt = performance.now();
  setState('up', 'serving');
  light(instance);
  scheduleDraw();
}

function countLoss(error) {
  lost++;
  setState('down', 'no answer from /api/');
  if (lost === 1) report(`A request was lost (${error.message}).`, 'lost');
  scheduleDraw();
}

function addInstance(name) {
  const number = Number(name.split('#').pop());
  const row = document.createElement('li');
  row.innerHTML =
    '<span class="number"></span><span class="who"></span><span class="count"></span><span class="share"></span>';
  row.querySelector('.number').textContent = number;
  const pulse = document.createElementNS(svgNamespace, 'path');
  const instance = { number, pid: 0, answers: 0, uptime: 0, answeredAt: 0, row, pulse };
  instances.set(name, instance);
  arrange();
  return instance;
}

/** Puts rows in order of their numbers and draws a line to each. */
function arrange() {
  const sorted = [...instances.values()].sort((a, b) => a.number - b.number);
  const fan = find('fan');
  const total = sorted.length * (rowHeight + rowGap) - rowGap;
  fan.setAttribute('viewBox', `0 0 100 ${total}`);
  fan.replaceChildren();
  const middle = total / 2;
  sorted.forEach((instance, index) => {
    const tone = `tone-${(index % 4) + 1}`;
    instance.row.className = `instance silent ${tone}`;
    const line = document.createElementNS(svgNamespace, 'path');
    const height = index * (rowHeight + rowGap) + rowHeight / 2;
    line.setAttribute('d', `M0 ${middle} H20 C65 ${middle} 50 ${height} 100 ${height}`);
    instance.pulse.setAttribute('d', line.getAttribute('d'));
    instance.pulse.setAttribute('pathLength', '1');
    instance.pulse.setAttribute('class', `pulse ${tone}`);
    fan.append(line);
  });
  fan.append(...sorted.map((instance) => instance.pulse));
  find('instances').replaceChildren(...sorted.map((instance) => instance.row));
}

function light(instance) {
  for (const { row } of instances.values()) row.classList.toggle('now', row === instance.row);
  for (const element of [instance.row, instance.pulse]) {
    element.classList.remove('lit');
    element.getBoundingClientRect(); // forgets the animation that may still run, so that it begins anew
    element.classList.add('lit');
  }
}

let drawing = false;
function scheduleDraw() {
  if (drawing) return;
  drawing = true;
  requestAnimationFrame(() => {
    drawing = false;
    draw();
  });
}

function draw() {
  for (const instance of instances.values()) drawInstance(instance);
  find('answers').textContent = formatCount(answers);
  find('lost').textContent = formatCount(lost);
  find('lost').classList.toggle('bad', lost > 0);
  find('uneven').textContent = describeUnevenness();
  drawTimes();
  const oldest = [...instances.values()]
    .filter((instance) => instance.pid !== 0)
    .sort((a, b) => b.uptime - a.uptime)[0];
  if (oldest === undefined) return;
  find('kill-command').textContent = `kill -9 ${oldest.pid}`;
  find('copy').disabled = false;
}

function drawInstance(instance) {
  const { row } = instance;
  const silent = instance.pid === 0 || performance.now() - instance.answeredAt > 5000;
  row.classList.toggle('silent', silent);
  const [who, count] = [row.querySelector('.who'), row.querySelector('.count')];
  const part = answers === 0 ? 0 : instance.answers / answers;
  who.replaceChildren(
    instance.pid === 0 ? 'waiting' : `pid ${instance.pid}`,
    small(instance.pid === 0 ? 'no answer yet' : `up ${describeDuration(instance.uptime)}`),
  );
  count.replaceChildren(formatCount(instance.answers), small(`${(part * 100).toFixed(1)} %`));
  row.querySelector('.share').style.setProperty('--part', part);
}

function small(text) {
  const element = document.createElement('small');
  element.textContent = text;
  return element;
}

/** How far the instance furthest from an even share is off, in per cent of that share. */
function describeUnevenness() {
  if (answers < instances.size * 10) return '–';
  const even = answers / instances.size;
  const worst = Math.max(...[...instances.values()].map((instance) => Math.abs(instance.answers - even)));
  return `${((worst / even) * 100).toFixed(1)} %`;
}

function describeDuration(seconds) {
  if (seconds < 60) return `${Math.floor(seconds)} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${Math.floor(seconds % 60)} s`;
  return `${Math.floor(seconds / 3600)} h ${Math.floor((seconds % 3600) / 60)} min`;
}

function drawTimes() {
  if (times.length < 2) return;
  const sorted = [...times].sort((a, b) => a - b);
  find('median').textContent = `${sorted[Math.floor(sorted.length / 2)].toFixed(1)} ms`;
  // One slow answer must not flatten the rest: the scale ends at three times the 90th percentile.
  const top = Math.min(sorted[sorted.length - 1], sorted[Math.floor(sorted.length * 0.9)] * 3) || 1;
  const points = times.map((time, index) => {
    const x = ((index + keptTimes - times.length) / (keptTimes - 1)) * 320;
    return `${x.toFixed(1)} ${(46 - (Math.min(time, top) / top) * 44).toFixed(1)}`;
  });
  const line = `M${points.join(' L')}`;
  find('spark-line').setAttribute('d', line);
  find('spark-area').setAttribute('d', `${line} L320 48 L${points[0].split(' ')[0]} 48 Z`);
}

function setState(state, text) {
  const element = find('state');
  if (element.dataset.state === state && element.textContent === text) return;
  element.dataset.state = state;
  element.textContent = text;
}

function report(text, kind = '') {
  const item = document.createElement('li');
  item.className = kind;
  const time = document.createElement('time');
  time.textContent = new Date().toLocaleTimeString();
  item.append(time, ` ${text}`);
  find('events').prepend(item);
  while (find('events').children.length > 5) find('events').lastChild.remove();
}

find('pause').addEventListener('click', () => {
  paused = !paused;
  find('pause').setAttribute('aria-pressed', String(paused));
  find('pause').textContent = paused ? 'Go on' : 'Pause';
  setState(paused ? 'waiting' : 'up', paused ? 'paused' : 'serving');
});

find('burst').addEventListener('click', async () => {
  find('burst').disabled = true;
  // Six at a time, which is as many connections as browsers open.
  let left = 300;
  const askMany = async () => {
    while (left-- > 0) await ask();
  };
  await Promise.all(Array.from({ length: 6 }, askMany));
  find('burst').disabled = false;
});

find('copy').addEventListener('click', async () => {
  await navigator.clipboard.writeText(find('kill-command').textContent);
  find('copy').textContent = 'Copied';
  setTimeout(() => {
    find('copy').textContent = 'Copy';
  }, 1500);
});

async function run() {
  for (;;) {
    if (!paused && !document.hidden) await ask();
    await new Promise((resolve) => setTimeout(resolve, askEveryMs));
  }
}

run();
