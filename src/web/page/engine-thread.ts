// Starts the worker with the model and the engine from the page, and ends it when the user gives up a scan.

import { type Reply, type Request } from './messages.js';

export interface EngineThread {
  readonly segment: (files: readonly File[]) => void;
  readonly end: () => void;
}

/** Starts a worker; `hear` gets its messages. Throws if the browser does not allow workers. */
export function startThread(hear: (reply: Reply) => void): EngineThread {
  const code = new Blob([textOf('worker')], { type: 'text/javascript' });
  const address = URL.createObjectURL(code);
  const worker = new Worker(address);
  const tell = (request: Request): void => worker.postMessage(request);
  worker.addEventListener('message', ({ data }: MessageEvent<Reply>) => {
    if (data.kind === 'ready') URL.revokeObjectURL(address);
    hear(data);
  });
  worker.addEventListener('error', ({ message }) =>
    hear({
      kind: 'failed',
      message: `The browser does not run the engine${message ? `: ${message}` : ''}. Try a current Chromium, Chrome, Edge, Firefox or Safari.`,
    }),
  );
  void Promise.all([unpack('model'), unpack('engine')]).then(([model, engine]) =>
    tell({ kind: 'open', model, engine }),
  );
  return {
    segment: (files) => tell({ kind: 'segment', files }),
    end: () => worker.terminate(),
  };
}

function textOf(id: string): string {
  return (document.getElementById(id) as HTMLElement).textContent;
}

/** The bytes in an element, which holds them compressed with gzip, as base64. */
async function unpack(id: string): Promise<Uint8Array> {
  const packed = Uint8Array.from(atob(textOf(id).trim()), (character) => character.charCodeAt(0));
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream('gzip'));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}
