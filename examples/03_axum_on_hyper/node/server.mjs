// The twin of lesson 03: `http.createServer`, given a function or an Express app.
// Run it: node examples/03_axum_on_hyper/node/server.mjs [hello]
import http from 'node:http';
import { app } from '../../02_axum_app/node/app.mjs';
import { fail, listen, onShutdown, port } from '../../lesson-kit.mjs';

// ANCHOR: hello
function hello(req, res) {
  res.statusCode = 200;
  res.setHeader('Content-Type', 'text/plain');
  res.end('Hello World');
}
// ANCHOR_END: hello

const choice = process.argv[2];
if (choice !== undefined && choice !== 'hello') {
  fail(`\`${choice}\`: say \`hello\`, or nothing for the app`);
}

// ANCHOR: serve
// Both are functions of (req, res): to `createServer` they
// are the same.
const service = choice === 'hello' ? hello : app;
listen(http.createServer(service), port());
// ANCHOR_END: serve

onShutdown(() => process.exit(0));
