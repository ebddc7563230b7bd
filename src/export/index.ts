// All export formats. Each is an option of `lunet export`.

import { bundle } from './bundle.js';
import { type ExportFormat } from './format.js';
import { html } from './html.js';
import { onnx } from './onnx/index.js';

export const exportFormats: readonly ExportFormat[] = [onnx, html, bundle];
