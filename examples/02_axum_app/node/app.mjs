// Lesson 02's app in Express. Lessons 03 and 04 serve it too.
import express from 'express';

// ANCHOR: app
export const app = express();

// No X-Powered-By: a client need not know what answers.
app.disable('x-powered-by');
// Any JSON value, not only objects and arrays.
const json = express.json({ limit: '100kb', strict: false });
app.use('/echo', json);

app.route('/').get(root).all(allow('GET, HEAD'));
app.route('/hello/:name').get(hello).all(allow('GET, HEAD'));
app.route('/echo').post(echo).all(allow('POST'));
app.use(notFound);
app.use(answerError);
// ANCHOR_END: app

// ANCHOR: handlers
function root(req, res) {
  res.type('text').send('Hello World');
}

function hello(req, res) {
  // Express treats a string as HTML unless told otherwise.
  res.type('text').send(`Hello ${req.params.name}`);
}

function echo(req, res) {
  if (!req.is('application/json')) {
    const error = 'declare the body as application/json';
    return res.status(415).json({ error });
  }
  res.json(req.body);
}
// ANCHOR_END: handlers

// ANCHOR: fallbacks
function notFound(req, res) {
  const error = `no route for ${req.method} ${req.path}`;
  res.status(404).json({ error });
}

function allow(methods) {
  return (req, res) => {
    const error = `${req.method} is not allowed on ${req.path}`;
    res.status(405).set('Allow', methods).json({ error });
  };
}
// ANCHOR_END: fallbacks

// ANCHOR: error
// Four parameters make it an error handler. Express calls it
// with whatever a handler or a middleware threw: here, what
// `express.json` and the router reject.
function answerError(error, req, res, next) {
  if (res.headersSent) return next(error);
  const status = error.status ?? 500;
  res.status(status).json({ error: error.message });
}
// ANCHOR_END: error
