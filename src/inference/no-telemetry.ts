import { forbidOnnxTelemetry } from '../config.js';

// Import this file before onnxruntime-node, in the main thread too: threads have a copy of the environment that the library does not see.
forbidOnnxTelemetry();
