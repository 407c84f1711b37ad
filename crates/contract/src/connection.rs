use std::{net::SocketAddr, time::Duration};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

use wire::{
    Direction, Tcp, Transcript,
    http::{Headers, header},
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
    /// Received, but not yet taken.
    unread: Vec<u8>,
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
            unread: Vec::new(),
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

    /// Sends these bytes and nothing else.
    ///
    /// # Errors
    ///
    /// The server has closed the connection, or does not read.
    pub async fn send(&mut self, bytes: impl AsRef<[u8]>) -> Result {
        self.trace.add(Direction::ToServer, bytes.as_ref());
        match within("room to send", self.stream.write_all(bytes.as_ref())).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) => {
                self.ended = Some(Tcp::Reset);
                Err(self.failure(HUNG_UP))
            }
            Err(failure) => Err(self.tell(failure)),
        }
    }

    /// What has come and was not taken yet.
    pub(crate) fn unread(&self) -> &[u8] {
        &self.unread
    }

    /// Takes the first `length` bytes of what has come.
    pub(crate) fn take(&mut self, length: usize) -> Vec<u8> {
        self.trace.add(Direction::ToClient, &self.unread[..length]);
        self.unread.drain(..length).collect()
    }

    /// Sends `request` and reads the response. The connection stays open.
    ///
    /// # Errors
    ///
    /// As for [`send`](Self::send) and [`response`](Self::response).
    pub async fn request(&mut self, request: &Request) -> Result<Response> {
        self.send(request.to_bytes(&self.host)).await?;
        self.response_to(&request.method).await
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
        let head = loop {
            if let Some(head) = self.parse_head()? {
                break head;
            }
            self.read_more("the head of a response").await?;
        };
        self.take(head.length);

        let body = match body_length(method, &head) {
            BodyLength::Exactly(length) => {
                while self.unread.len() < length {
                    self.read_more("the whole body").await?;
                }
                self.take(length)
            }
            BodyLength::Chunked => self.read_chunks().await?,
            BodyLength::UntilClose => {
                while self.receive().await? > 0 {}
                let body = self.take(self.unread.len());
                self.end();
                body
            }
        };
        Ok(Response {
            status: head.status,
            headers: head.headers,
            body,
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
            Ok(!self.unread.is_empty() || self.receive().await? > 0)
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

    /// The head that `unread` begins with, once it is complete.
    fn parse_head(&self) -> Result<Option<Head>> {
        let mut headers = [httparse::EMPTY_HEADER; 64];
        let mut head = httparse::Response::new(&mut headers);
        let parsed = head.parse(&self.unread).map_err(|error| {
            self.failure(&format!("not an HTTP response: {error}"))
        })?;
        let httparse::Status::Complete(length) = parsed else {
            return Ok(None);
        };
        let headers = head.headers.iter().map(|header| {
            let value = String::from_utf8_lossy(header.value).into_owned();
            (header.name.to_owned(), value)
        });
        let status = head.code.expect("a complete head has a status");
        Ok(Some(Head {
            length,
            status,
            headers: headers.collect(),
        }))
    }

    /// A chunked body (RFC 9112, section 7.1). Trailers are not supported: none may come.
    async fn read_chunks(&mut self) -> Result<Vec<u8>> {
        let mut body = Vec::new();
        loop {
            let (start, length) = loop {
                match httparse::parse_chunk_size(&self.unread) {
                    Ok(httparse::Status::Complete((start, length))) => {
                        break (start, usize::try_from(length)?);
                    }
                    Ok(httparse::Status::Partial) => {
                        self.read_more("a chunk's size").await?;
                    }
                    Err(_) => return Err(self.failure("not a chunk's size")),
                }
            };
            let end = start.checked_add(length).filter(|&end| end < MOST_UNREAD);
            let end = end.ok_or_else(|| self.failure("a chunk that is too long"))?;
            while self.unread.len() < end + 2 {
                self.read_more("the whole chunk").await?;
            }
            if &self.unread[end..end + 2] != b"\r\n" {
                return Err(self.failure("a chunk does not end with CRLF"));
            }
            body.extend_from_slice(&self.take(end + 2)[start..end]);
            if length == 0 {
                return Ok(body);
            }
        }
    }

    /// Waits for more, which has to come if `wanted` is to be complete.
    pub(crate) async fn read_more(&mut self, wanted: &str) -> Result {
        match self.receive().await? {
            0 => Err(self.failure(&format!("closed before {wanted} came"))),
            _ => Ok(()),
        }
    }

    /// Appends what comes next to `unread`; 0 if the server has closed.
    async fn receive(&mut self) -> Result<usize> {
        if self.unread.len() > MOST_UNREAD {
            let most = MOST_UNREAD >> 20;
            return Err(self.failure(&format!("more than {most} MiB came")));
        }
        let read = self.stream.read_buf(&mut self.unread).await;
        match read {
            Ok(0) => self.ended = Some(Tcp::Fin),
            Ok(_) => {}
            Err(_) => {
                self.ended = Some(Tcp::Reset);
                return Err(self.failure(HUNG_UP));
            }
        }
        Ok(read?)
    }

    /// All has been taken, and the end was expected.
    fn end(&mut self) {
        if let Some(how) = &self.ended {
            self.trace.end(how.clone());
        }
    }

    /// Something was awaited in vain.
    pub(crate) fn failure(&self, message: &str) -> Failure {
        self.tell(Failure::new(message))
    }

    /// Something was awaited in vain: the failure shows all that has come.
    pub(crate) fn tell(&self, failure: Failure) -> Failure {
        let ended = self.ended.as_ref();
        failure.with(self.trace.with_the_rest(&self.unread, ended))
    }
}

/// Reset, aborted, broken pipe: systems differ in what they call it.
const HUNG_UP: &str = "the server has hung up";

/// The most that is kept of a response or a frame: an endless one must not fill the
/// memory.
const MOST_UNREAD: usize = 64 << 20;

/// Status line and headers of a response.
struct Head {
    /// How many bytes it took.
    length: usize,
    status: u16,
    headers: Headers,
}

/// Where a response's body ends (RFC 9112, section 6.3).
enum BodyLength {
    Exactly(usize),
    Chunked,
    UntilClose,
}

fn body_length(method: &str, head: &Head) -> BodyLength {
    if method == "HEAD" || matches!(head.status, 100..=199 | 204 | 304) {
        return BodyLength::Exactly(0);
    }
    if header(&head.headers, "transfer-encoding") == Some("chunked") {
        return BodyLength::Chunked;
    }
    match header(&head.headers, "content-length").and_then(|n| n.parse().ok()) {
        Some(length) => BodyLength::Exactly(length),
        None => BodyLength::UntilClose,
    }
}
