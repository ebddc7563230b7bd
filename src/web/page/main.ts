// The page: takes files, sends them to the worker, and shows the results.

import { type Extent } from '../../data/preprocess.js';
import { centreOf } from './centre.js';
import { type EngineThread, startThread } from './engine-thread.js';
import { allColours, showFindings, showWarnings } from './findings.js';
import { type Reply, type ShownResult, type ShownScan } from './messages.js';
import { type PlaneView, type View, planeView } from './plane-view.js';
import { PLANES } from './planes.js';

const find = <T extends HTMLElement>(id: string): T => document.getElementById(id) as T;
const [input, status, problem, progress, stop] = [
  find<HTMLInputElement>('files'),
  find('status'),
  find('problem'),
  find<HTMLProgressElement>('progress'),
  find<HTMLButtonElement>('stop'),
];
const channel = find<HTMLSelectElement>('channel');
const save = find<HTMLAnchorElement>('save');

let thread: EngineThread | undefined;
let view: View | undefined;
let ready = false;
/** Whether the worker is busy with a scan. */
let busy = false;

const planes: readonly PlaneView[] = PLANES.map((plane) =>
  planeView(plane, (voxel: Extent) => show({ voxel })),
);
find('planes').append(...planes.map(({ element }) => element));

/** Changes what the planes show; they are drawn once per screen frame. */
let drawing = 0;
function show(change: Partial<View>): void {
  if (view === undefined) return;
  view = { ...view, ...change };
  cancelAnimationFrame(drawing);
  drawing = requestAnimationFrame(() => planes.forEach(({ draw }) => view && draw(view)));
}

function start(): void {
  ready = false;
  try {
    thread = startThread(hear);
  } catch (error) {
    fail(`The browser starts no worker, which the engine needs: ${(error as Error).message}`);
  }
}

function hear(reply: Reply): void {
  switch (reply.kind) {
    case 'ready':
      ready = true;
      if (!busy) status.textContent = 'Ready. Nothing leaves this computer.';
      break;
    case 'scan':
      showScan(reply.scan);
      break;
    case 'progress':
      progress.max = reply.total;
      progress.value = reply.done;
      break;
    case 'result':
      showResult(reply.result);
      break;
    case 'failed':
      fail(reply.message);
      break;
  }
}

function setBusy(now: boolean): void {
  busy = now;
  progress.hidden = stop.hidden = !now;
  if (now) progress.removeAttribute('value');
  document.body.toggleAttribute('data-busy', now);
}

function fail(message: string): void {
  setBusy(false);
  status.textContent = '';
  problem.textContent = message;
  problem.hidden = false;
}

function segment(files: readonly File[]): void {
  if (files.length === 0) return;
  // Gives up the current scan.
  if (busy) restart();
  problem.hidden = true;
  find('result').hidden = true;
  setBusy(true);
  const names = files.map(({ name }) => name).join(', ');
  status.textContent = `${ready ? 'Reading' : 'Starting the engine, then reading'} ${names}`;
  thread?.segment(files);
}

function restart(): void {
  thread?.end();
  setBusy(false);
  start();
}

function showScan(scan: ShownScan): void {
  status.textContent = `Segmenting ${scan.files.join(', ')}`;
  channel.selectedIndex = 0;
  find('viewer').hidden = false;
  find<HTMLDetailsElement>('about').open = false;
  view = { scan, channel: 0, voxel: centreOf(undefined, scan.size), colours: [] };
  show({});
}

function showResult(result: ShownResult): void {
  setBusy(false);
  const { file, findings, warnings, reading, segmenting } = result;
  if (view) show({ result, colours: allColours(result), voxel: centreOf(result.labels, view.scan.size) });
  showFindings(find('findings'), result, (colours) => show({ colours }));
  showWarnings(find('warnings'), warnings);
  find('time').textContent = `Read in ${seconds(reading)}, segmented in ${seconds(segmenting)}.`;
  URL.revokeObjectURL(save.href);
  save.href = URL.createObjectURL(new Blob([file.bytes as Uint8Array<ArrayBuffer>]));
  save.download = file.name;
  find('result').hidden = false;
  const volumes = findings.map(({ name, volume }) => `${name} ${volume.toFixed(2)} ml`).join(', ');
  status.textContent = `Segmented ${view?.scan.files.join(', ')}: ${volumes}.`;
}

const seconds = (value: number): string => `${value < 10 ? value.toFixed(2) : Math.round(value)} s`;

function acceptDrops(): void {
  let inside = 0;
  const mark = (): void => {
    document.body.toggleAttribute('data-drop', inside > 0);
  };
  document.addEventListener('dragenter', () => {
    inside++;
    mark();
  });
  document.addEventListener('dragleave', () => {
    inside--;
    mark();
  });
  document.addEventListener('dragover', (event) => event.preventDefault());
  document.addEventListener('drop', (event) => {
    event.preventDefault();
    inside = 0;
    mark();
    segment([...(event.dataTransfer?.files ?? [])]);
  });
}

input.addEventListener('change', () => {
  segment([...(input.files ?? [])]);
  // So that the same file can be chosen again.
  input.value = '';
});
stop.addEventListener('click', () => {
  restart();
  status.textContent = 'Stopped.';
});
channel.addEventListener('change', () => show({ channel: channel.selectedIndex }));
acceptDrops();
if (typeof DecompressionStream === 'undefined' || typeof WebAssembly === 'undefined')
  fail('This browser is too old: the page needs WebAssembly and DecompressionStream (browsers since 2023).');
else start();
