use std::{io, net::SocketAddr, time::Duration};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    select,
    time::timeout,
};

use wire::{
    Direction, Limits, Tcp, Transcript,
    http::{self, Body, Event},
};

use crate::{
    Failure, Request, Response, Result, deadline, recording::Trace, within,
};

/// One TCP connection to the server: bytes out, bytes in, and a transcript of both.
///
/// What has come is in the transcript once the test has taken it. So when an expectation
/// fails, what it failed on is the last thing there, and what a server has sent in the
/// meantime, which differs from run to run, is not. If something was awaited in vain, the
/// failure shows all that has come.
#[derive(Debug)]
pub struct Connection {
    stream: TcpStream,
    host: String,
    /// Received; the first `taken` bytes of it have been taken.
    received: Vec<u8>,
    taken: usize,
    /// How the server has ended the connection.
    ended: Option<Tcp>,
    trace: Trace,
}

impl Connection {
    /// A new TCP connection to whatever listens there.
    ///
    /// # Errors
    ///
    /// It is refused, or not accepted.
    pub async fn open(addr: SocketAddr) -> Result<Self> {
        let stream = within("connection", TcpStream::connect(addr)).await??;
        // A byte that a test sends must leave at once, not wait for more.
        stream.set_nodelay(true)?;
        Ok(Self {
            stream,
            host: addr.to_string(),
            received: Vec::new(),
            taken: 0,
            ended: None,
            trace: Trace::default(),
        })
    }

    pub(crate) fn into_stream(self) -> TcpStream {
        self.stream
    }

    /// What has been sent over this connection and taken from it so far; of very much,
    /// the end (see [`Recording`](crate::Recording)).
    pub fn transcript(&self) -> Transcript {
        self.trace.transcript()
    }

    /// Writes a remark into the transcript, for what the wire does not show.
    pub fn note(&mut self, text: &str) {
        self.trace.note(text);
    }

    /// Empties the transcript: what comes next is its beginning.
    pub fn forget(&mut self) {
        self.trace.forget();
    }

    /// Records nothing any more, for a load whose transcript nobody will read.
    pub fn record_nothing(&mut self) {
        self.trace.stop();
    }

    pub(crate) fn trace(&mut self) -> &mut Trace {
        &mut self.trace
    }

    /// The value this connection puts in `Host`: address and port of the server.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// Sends these bytes and nothing else. What comes meanwhile is not read.
    ///
    /// # Errors
    ///
    /// The server has closed the connection, or does not read.
    pub async fn send(&mut self, bytes: impl AsRef<[u8]>) -> Result {
        self.write(bytes.as_ref(), false).await
    }

    async fn write(&mut self, mut bytes: &[u8], reads: bool) -> Result {
        self.trace.add(Direction::ToServer, bytes);
        let sent = within("room to send", async {
            while !bytes.is_empty() {
                let reads = reads
                    && self.ended.is_none()
                    && self.unread().len() < MOST_UNREAD;
                self.received.reserve(AT_ONCE);
                let (mut from, mut to) = self.stream.split();
                select! {
                    biased;
                    sent = to.write(bytes) => bytes = &bytes[sent?..],
                    // A server that waits for its answer to be read reads no more.
                    read = from.read_buf(&mut self.received), if reads => {
                        if read? == 0 {
                            self.ended = Some(Tcp::Fin);
                        }
                    }
                }
            }
            io::Result::Ok(())
        });
        match sent.await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => {
                // What the server has said before may be why.
                while let Ok(1..) = self.receive().await {}
                if error.kind() == io::ErrorKind::ConnectionReset {
                    self.ended = Some(Tcp::Reset);
                }
                Err(self.failure(HUNG_UP))
            }
            Err(failure) => Err(self.tell(failure)),
        }
    }

    /// What has come and was not taken yet.
    pub(crate) fn unread(&self) -> &[u8] {
        &self.received[self.taken..]
    }

    /// Takes the first `length` bytes of what has come.
    pub(crate) fn take(&mut self, length: usize) {
        let end = self.taken + length;
        let taken = &self.received[self.taken..end];
        self.trace.add(Direction::ToClient, taken);
        self.taken = end;
    }

    /// Sends `request` and reads the response, also one that comes before all is sent.
    /// The connection stays open.
    ///
    /// # Errors
    ///
    /// As for [`send`](Self::send) and [`response`](Self::response).
    pub async fn request(&mut self, request: &Request) -> Result<Response> {
        let bytes = request.to_bytes(&self.host);
        match self.write(&bytes, true).await {
            // It may have answered first (RFC 9110, section 15.5.14).
            Err(failure) if failure.timed_out() || self.unread().is_empty() => {
                Err(failure)
            }
            _ => self.response_to(&request.method).await,
        }
    }

    /// Reads the response to a request other than HEAD.
    ///
    /// # Errors
    ///
    /// The connection ends before the response does, or what comes is not an HTTP/1.1
    /// response (RFC 9112).
    pub async fn response(&mut self) -> Result<Response> {
        self.response_to("GET").await
    }

    async fn response_to(&mut self, method: &str) -> Result<Response> {
        self.response_in(deadline(), method).await
    }

    /// Like [`response`](Self::response), for a server that is meant to be slow.
    ///
    /// # Errors
    ///
    /// As there, or the response is not complete after `limit`.
    pub async fn response_within(&mut self, limit: Duration) -> Result<Response> {
        self.response_in(limit, "GET").await
    }

    /// One limit for the whole of it: a byte now and then is not a response.
    async fn response_in(
        &mut self,
        limit: Duration,
        method: &str,
    ) -> Result<Response> {
        match timeout(limit, self.read_response(method)).await {
            Ok(response) => response,
            Err(_) => {
                let message = format!("no complete response in {limit:?}");
                Err(self.tell(Failure::timeout(message)))
            }
        }
    }

    async fn read_response(&mut self, method: &str) -> Result<Response> {
        let mut decoder = http::Decoder::new(Direction::ToClient, LIMITS);
        let (mut head, mut body) = (None, Body::default());
        let (mut read, mut closed) = (0, false);
        let head = loop {
            let mut rest = &self.unread()[read..];
            let event = decoder.next(&mut rest, method == "HEAD");
            read = self.unread().len() - rest.len();
            match event {
                Ok(Some(Event::Response(response))) => head = Some(response),
                Ok(Some(Event::Body(whole))) => body = whole,
                Err(fault) => {
                    let what = format!("not an HTTP response: {fault}");
                    return Err(self.failure(&what));
                }
                _ => {}
            }
            match head {
                Some(head) if decoder.is_between() => break head,
                _ if read < self.unread().len() || self.receive().await? > 0 => {}
                None => return Err(self.cut_off("the head of a response")),
                // The end of the connection may be that of the body.
                Some(_) if !closed => {
                    closed = true;
                    if let Some(Event::Body(part)) = decoder.finish(true) {
                        body = part;
                    }
                }
                Some(_) => return Err(self.cut_off("the whole body")),
            }
        };
        self.take(read);
        if closed {
            self.end();
        }
        Ok(Response {
            status: head.status,
            headers: head.headers,
            body: body.bytes,
            moment: self.trace.moment(),
        })
    }

    /// Waits until the server closes the connection, and fails if anything came first.
    ///
    /// # Errors
    ///
    /// It stays open, or more bytes come.
    pub async fn closed(&mut self) -> Result {
        self.closed_within(deadline()).await
    }

    /// Like [`closed`](Self::closed), for a server that is meant to be slow.
    ///
    /// # Errors
    ///
    /// It is still open after `limit`, or more bytes come.
    pub async fn closed_within(&mut self, limit: Duration) -> Result {
        let more_came = timeout(limit, async {
            Ok(!self.unread().is_empty() || self.receive().await? > 0)
        });
        match more_came.await {
            Ok(Ok(false)) => {
                self.end();
                Ok(())
            }
            Ok(Ok(true)) => {
                Err(self.failure("the connection should be closed, but more came"))
            }
            Ok(Err(failure)) => Err(failure),
            Err(_) => {
                let message = format!("still open after {limit:?}");
                Err(self.tell(Failure::timeout(message)))
            }
        }
    }

    /// Waits for more, which has to come if `wanted` is to be complete.
    pub(crate) async fn read_more(&mut self, wanted: &str) -> Result {
        match self.receive().await? {
            0 => Err(self.cut_off(wanted)),
            _ => Ok(()),
        }
    }

    /// Waits for what comes next, and says how much it is; 0 if the server has closed.
    async fn receive(&mut self) -> Result<usize> {
        if self.unread().len() > MOST_UNREAD {
            let most = MOST_UNREAD >> 20;
            return Err(self.failure(&format!("more than {most} MiB came")));
        }
        let read = match &self.ended {
            None => {
                self.received.drain(..std::mem::take(&mut self.taken));
                self.received.reserve(AT_ONCE);
                self.stream.read_buf(&mut self.received).await.ok()
            }
            Some(how) => (*how == Tcp::Fin).then_some(0),
        };
        match read {
            None => self.ended = Some(Tcp::Reset),
            Some(0) => self.ended = Some(Tcp::Fin),
            Some(_) => {}
        }
        read.ok_or_else(|| self.failure(HUNG_UP))
    }

    /// All has been taken, and the end was expected.
    fn end(&mut self) {
        if let Some(how) = &self.ended {
            self.trace.end(how.clone());
        }
    }

    fn cut_off(&self, wanted: &str) -> Failure {
        self.failure(&format!("closed before {wanted} came"))
    }

    /// Something was awaited in vain.
    pub(crate) fn failure(&self, message: &str) -> Failure {
        self.tell(Failure::new(message))
    }

    /// Something was awaited in vain: the failure shows all that has come.
    pub(crate) fn tell(&self, failure: Failure) -> Failure {
        let ended = self.ended.as_ref();
        failure.with(self.trace.with_the_rest(self.unread(), ended))
    }
}

/// Reset, aborted, broken pipe: systems differ in what they call it.
const HUNG_UP: &str = "the server has hung up";

/// The most that is kept, in bytes, of a response, a message, or packets that nobody has
/// taken: what is endless must not fill the memory.
pub(crate) const MOST_UNREAD: usize = 64 << 20;

/// The most that is read at once, in bytes.
const AT_ONCE: usize = 16 << 10;

/// A body is kept whole.
const LIMITS: Limits = Limits {
    head: 64 << 10,
    body: MOST_UNREAD + AT_ONCE,
    message: 0,
};
