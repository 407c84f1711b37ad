// The twin of lesson 02: an Express app, listening.
// Run it: node examples/02_axum_app/node/server.mjs
import { app } from './app.mjs';
import { onShutdown, port, refuse } from '../../lesson-kit.mjs';

// ANCHOR: main
const wanted = port();
const server = app.listen(wanted, '127.0.0.1', (error) => {
  if (error) refuse(error, wanted);
  const { port } = server.address();
  console.log(`listening on http://127.0.0.1:${port}`);
});

onShutdown(() => process.exit(0));
// ANCHOR_END: main
