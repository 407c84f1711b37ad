// The twin of lesson 02: an Express app, listening.
// Run it: node examples/02_axum_app/node/server.mjs
import { app } from './app.mjs';
import { fail, onShutdown, port } from '../../lesson-kit.mjs';

// ANCHOR: main
const wanted = port();
const server = app.listen(wanted, '127.0.0.1', (error) => {
  if (error?.code === 'EADDRINUSE') {
    fail(`port ${wanted} is taken: stop what listens there, or set PORT to another`);
  }
  if (error) fail(`cannot listen on port ${wanted}: ${error.message}`);
  console.log(`listening on http://127.0.0.1:${server.address().port}`);
});

onShutdown(() => process.exit(0));
// ANCHOR_END: main
