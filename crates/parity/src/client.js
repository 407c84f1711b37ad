// The course's own readable client takes this place.
throw new Error('no Socket.IO client is here: run `npm ci --prefix examples`');
