// The report as one self-contained page: sortable tables, figures with hover values, light and dark mode, the config and
// the environment at the end. All external text is escaped by one function.

import { stringify } from 'yaml';
import { escapeHtml, policyHash } from '../html.js';
import { REPORT } from '../runs/folders.js';
import { type DrawnChart } from './charts/draw.js';
import { type Results } from './results.js';
import { MOST_PARAMETERS, type SmallNetwork } from './small-network.js';
import { compareCells } from './sort-cells.js';
import { type Table } from './table.js';

const STYLE = `
:root { color-scheme: light dark; --line: #ccc; --soft: #f4f4f4; }
@media (prefers-color-scheme: dark) { :root { --line: #555; --soft: #222; } body { background: #141414; color: #eee; } }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 1100px; margin: 2rem auto; padding: 0 1rem; }
h1 { font-weight: 600; } h2 { font-weight: 600; margin-top: 2.5rem; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { padding: .25rem .8rem; border-bottom: 1px solid var(--line); text-align: left; white-space: nowrap; }
th.right, td.right { text-align: right; }
th { cursor: pointer; position: sticky; top: 0; background: var(--soft); }
figure { margin: 1.5rem 0; padding: .5rem; background: #fff; color: #000; border-radius: 6px; overflow-x: auto; }
figure svg { max-width: 100%; height: auto; }
.note { opacity: .8; font-size: .9rem; }
pre { background: var(--soft); padding: 1rem; overflow-x: auto; font-size: .85rem; }
`;

// Sorts a table by the column whose header is clicked; a second click reverses the order.
const SCRIPT = `
${compareCells.toString()}
for (const head of document.querySelectorAll('th')) {
  head.addEventListener('click', () => {
    const body = head.closest('table').tBodies[0];
    const at = [...head.parentElement.children].indexOf(head);
    const up = head.getAttribute('aria-sort') !== 'ascending';
    for (const other of head.parentElement.children) other.removeAttribute('aria-sort');
    head.setAttribute('aria-sort', up ? 'ascending' : 'descending');
    const key = (row) => row.cells[at].textContent;
    const numeric = head.className === 'right';
    body.append(...[...body.rows].sort((a, b) => compareCells(key(a), key(b), numeric, up)));
  });
}
`;

/** The whole page. */
export function reportPage(
  results: Results,
  tables: readonly Table[],
  charts: readonly DrawnChart[],
  network: SmallNetwork | undefined,
): string {
  const { config, records, unfinished, leftOut } = results;
  // SVG from the charting library has style attributes, so inline styles are allowed; scripts only by their hash.
  const policy = `default-src 'none'; style-src 'unsafe-inline'; script-src ${policyHash(SCRIPT)}; img-src data:`;
  const environments = [...new Set(records.map(({ environment }) => JSON.stringify(environment)))];
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${escapeHtml(policy)}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(config.experiment)}: lunet report</title>
<style>${STYLE}</style>
</head>
<body>
<h1>${escapeHtml(config.experiment)}</h1>
<p>${records.length} runs${unfinished.length > 0 ? `, ${unfinished.length} of them not finished` : ', all finished'}.</p>
${htmlList(unfinished)}
${network ? segmentLink(network) : ''}
${leftOut.length > 0 ? `<h2>Left out</h2>\n<p>No number on this page uses these:</p>\n${htmlList(leftOut)}` : ''}
${tables.map(htmlTable).join('\n')}
${charts.map(htmlFigure).join('\n')}
<h2>Configuration</h2>
<pre>${escapeHtml(stringify(config, { aliasDuplicateObjects: false }))}</pre>
<h2>Environment</h2>
<pre>${environments.map(escapeHtml).join('\n')}</pre>
<script>${SCRIPT}</script>
</body>
</html>
`;
}

function segmentLink({ method, model }: SmallNetwork): string {
  return `<p><a href="${REPORT.segment}">Segment a scan in the browser</a> with ${escapeHtml(method)}, seed ${model.run.seed}: the best unbiased
method of at most ${MOST_PARAMETERS.toLocaleString('en')} parameters.</p>`;
}

function htmlList(lines: readonly string[]): string {
  return lines.length > 0 ? `<ul>${lines.map((line) => `<li>${escapeHtml(line)}</li>`).join('')}</ul>` : '';
}

function htmlTable({ title, columns, rows, notes }: Table): string {
  return `<h2>${escapeHtml(title)}</h2>
${rows.length === 0 ? '' : htmlRows({ columns, rows })}
${notes.map((note) => `<p class="note">${escapeHtml(note)}</p>`).join('\n')}`;
}

function htmlRows({ columns, rows }: Pick<Table, 'columns' | 'rows'>): string {
  const side = (i: number): string => (columns[i]?.align === 'right' ? ' class="right"' : '');
  return `<div class="scroll"><table>
<thead><tr>${columns.map((column, i) => `<th${side(i)}>${escapeHtml(column.title)}</th>`).join('')}</tr></thead>
<tbody>
${rows.map((row) => `<tr>${row.map((cell, i) => `<td${side(i)}>${escapeHtml(cell)}</td>`).join('')}</tr>`).join('\n')}
</tbody>
</table></div>`;
}

function htmlFigure({ name, title, svg }: DrawnChart): string {
  // The library writes the values of each mark as its aria-label; browsers show <title> on hover.
  const hover = svg.replace(
    /<path aria-label="([^"]*)"([^>]*)\/>/g,
    (_, label: string, rest: string) => `<path aria-label="${label}"${rest}><title>${label}</title></path>`,
  );
  return `<figure id="${escapeHtml(name)}" aria-label="${escapeHtml(title)}">${hover}</figure>`;
}
