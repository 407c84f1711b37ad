//! HTTP/1.1 heads and bodies as they pass by (RFC 9112).

use std::{fmt, mem};

use crate::{Direction, Limits, keep};

/// Names as they were written, and values, in the order in which they arrived. Bytes
/// that are not UTF-8 show as U+FFFD.
pub type Headers = Vec<(String, String)>;

/// The first value of the header `name`, ignoring case.
pub fn header<'a>(headers: &'a Headers, name: &str) -> Option<&'a str> {
    let mut values = all(headers, name);
    values.next()
}

fn all<'a>(headers: &'a Headers, name: &str) -> impl Iterator<Item = &'a str> {
    let named = move |(key, _): &&(String, String)| key.eq_ignore_ascii_case(name);
    headers
        .iter()
        .filter(named)
        .map(|(_, value)| value.as_str())
}

/// The members of the list `name` (RFC 9110, section 5.6.1). Empty ones do not count.
pub(crate) fn members<'a>(
    headers: &'a Headers,
    name: &str,
) -> impl Iterator<Item = &'a str> {
    let members = all(headers, name).flat_map(|value| value.split(','));
    members.map(str::trim).filter(|member| !member.is_empty())
}

/// Whether the list `name` has the member `token`, in any case, with parameters or
/// without.
pub fn lists(headers: &Headers, name: &str, token: &str) -> bool {
    let mut tokens = members(headers, name).filter_map(|m| m.split(';').next());
    tokens.any(|found| found.trim_end().eq_ignore_ascii_case(token))
}

/// What one direction of an HTTP connection says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// The head of a request (RFC 9112, section 3).
    Request(Request),
    /// The head of a response (RFC 9112, section 4).
    Response(Response),
    /// A part of a body that has not ended, where the decoder was
    /// [flushed](crate::Decoder::flush).
    Part(Body),
    /// A body (RFC 9112, section 6), or what is left of it after such parts, once it has
    /// ended. An empty one, or an empty rest, is not reported.
    Body(Body),
    /// The end of the direction cut off the body.
    Cut {
        /// How many bytes of it are missing; `None` if it came in chunks.
        missing: Option<u64>,
    },
}

/// Request line and headers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// `GET`, `POST`, …
    pub method: String,
    /// Path and query, as sent (RFC 9112, section 3.2).
    pub target: String,
    /// The minor version: 0 or 1.
    pub version: u8,
    /// The header fields.
    pub headers: Headers,
}

impl Request {
    /// Whether it asks to switch to WebSocket (RFC 6455, section 4.1).
    pub fn is_websocket(&self) -> bool {
        self.method == "GET" && lists(&self.headers, "upgrade", "websocket")
    }
}

/// Status line and headers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Response {
    /// The status code (RFC 9110, section 15).
    pub status: u16,
    /// The reason phrase; often empty.
    pub reason: String,
    /// The minor version: 0 or 1.
    pub version: u8,
    /// The header fields.
    pub headers: Headers,
}

impl Response {
    /// Whether it switches to WebSocket (RFC 6455, section 4.2.2).
    pub fn is_websocket(&self) -> bool {
        self.status == 101 && lists(&self.headers, "upgrade", "websocket")
    }
}

/// The body of a request or of a response, without chunk sizes and trailers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Body {
    /// The first [`Limits::body`] bytes of it.
    pub bytes: Vec<u8>,
    /// How many bytes it had in all.
    pub length: u64,
    /// `false` if the connection ended first, and for a part.
    pub complete: bool,
}

impl Body {
    /// Whether `bytes` is the whole of it.
    pub fn is_whole(&self) -> bool {
        self.complete && self.length == self.bytes.len() as u64
    }
}

/// Why one direction can no longer be followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Not a request line, status line or header field. Nor is a field that goes on in
    /// a second line, which is obsolete (section 5.2).
    NotHttp,
    /// A head or a line of more than [`Limits::head`] bytes, or more than 100 header
    /// fields.
    TooLong,
    /// `Content-Length` is not one number (RFC 9112, section 6.3, rule 5).
    ContentLength,
    /// The last transfer coding of a request is not chunked (section 6.3, rule 4).
    TransferEncoding,
    /// Not a chunk size, or no CRLF after a chunk (section 7.1).
    Chunk,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotHttp => "not HTTP/1.1",
            Self::TooLong => "a head that is too long to follow",
            Self::ContentLength => "a content-length that is not one number",
            Self::TransferEncoding => "a transfer coding that is not chunked",
            Self::Chunk => "a broken chunk",
        })
    }
}

/// Decodes one direction of a connection, message after message.
#[derive(Clone, Debug)]
pub struct Decoder {
    direction: Direction,
    limits: Limits,
    state: State,
    /// A head, a chunk's size or a trailer, until it is complete.
    line: Vec<u8>,
    body: Body,
}

#[derive(Clone, Debug)]
enum State {
    Head,
    Exactly(u64),
    ChunkSize,
    Chunk(u64),
    ChunkEnd,
    Trailers,
    UntilClose,
}

impl Decoder {
    /// A decoder that begins between two messages.
    pub fn new(direction: Direction, limits: Limits) -> Self {
        Self {
            direction,
            limits,
            state: State::Head,
            line: Vec::new(),
            body: Body::default(),
        }
    }

    /// Whether the last message is over.
    pub fn is_between(&self) -> bool {
        matches!(self.state, State::Head)
    }

    pub(crate) fn buffered(&self) -> usize {
        self.line.len() + self.body.bytes.len()
    }

    /// What has arrived of an incomplete head, size or trailer.
    pub(crate) fn unread(&self) -> &[u8] {
        &self.line
    }

    /// Takes bytes from `input` until there is an event, a message is over, or no bytes
    /// are left. `bodiless` says that the next response has no body, whatever it declares
    /// (a HEAD was sent).
    pub fn next(
        &mut self,
        input: &mut &[u8],
        bodiless: bool,
    ) -> Result<Option<Event>, Fault> {
        while !input.is_empty() {
            match &mut self.state {
                State::Head => {
                    if let Some(event) = self.head(input, bodiless)? {
                        return Ok(Some(event));
                    }
                }
                State::Exactly(left) => {
                    *left -= take_body(&mut self.body, input, *left, self.limits);
                    if *left == 0 {
                        return Ok(self.end_of_body());
                    }
                }
                State::UntilClose => {
                    take_body(&mut self.body, input, u64::MAX, self.limits);
                }
                State::Chunk(left) => {
                    *left -= take_body(&mut self.body, input, *left, self.limits);
                    if *left == 0 {
                        self.state = State::ChunkEnd;
                    }
                }
                State::ChunkSize => {
                    if take_line(&mut self.line, input, self.limits.head)? {
                        self.state = match chunk_size(&self.line)? {
                            0 => State::Trailers,
                            size => State::Chunk(size),
                        };
                        self.line.clear();
                    }
                }
                State::ChunkEnd => {
                    if take_line(&mut self.line, input, 2)
                        .map_err(|_| Fault::Chunk)?
                    {
                        if self.line != b"\r\n" {
                            return Err(Fault::Chunk);
                        }
                        self.line.clear();
                        self.state = State::ChunkSize;
                    }
                }
                State::Trailers => {
                    if take_line(&mut self.line, input, self.limits.head)? {
                        let last = matches!(&*self.line, b"\r\n" | b"\n");
                        self.line.clear();
                        if last {
                            return Ok(self.end_of_body());
                        }
                    }
                }
            }
        }
        Ok(None)
    }

    fn end_of_body(&mut self) -> Option<Event> {
        self.state = State::Head;
        let mut body = mem::take(&mut self.body);
        body.complete = true;
        (body.length > 0).then_some(Event::Body(body))
    }

    /// What has arrived of a body that has not ended.
    pub(crate) fn flush(&mut self) -> Option<Event> {
        let some = self.body.length > 0;
        some.then(|| Event::Part(mem::take(&mut self.body)))
    }

    /// What the end of the direction, with FIN or without, cuts off.
    pub(crate) fn cut(&self, fin: bool) -> Option<Event> {
        match self.state {
            State::Head | State::UntilClose => None,
            State::Exactly(left) => Some(Event::Cut {
                missing: Some(left),
            }),
            _ => fin.then_some(Event::Cut { missing: None }),
        }
    }

    /// The body that ends with the direction, which `fin` says is its right end, or as
    /// much of it as has arrived.
    pub fn finish(&mut self, fin: bool) -> Option<Event> {
        match self.state {
            State::UntilClose if fin => self.end_of_body(),
            _ if self.body.length == 0 => None,
            _ => Some(Event::Body(mem::take(&mut self.body))),
        }
    }

    /// A head is parsed at the end of every line, so a fault shows there, at the same
    /// byte however the bytes were split.
    fn head(
        &mut self,
        input: &mut &[u8],
        bodiless: bool,
    ) -> Result<Option<Event>, Fault> {
        if self.line.is_empty() {
            // RFC 9112, section 2.2: empty lines before a message are skipped.
            let blank = input.iter().take_while(|b| matches!(b, b'\r' | b'\n'));
            *input = &input[blank.count()..];
            if input.is_empty() {
                return Ok(None);
            }
        }
        let ended = take_line(&mut self.line, input, self.limits.head);
        // What is not HTTP may have no line end for long, so look at its start once.
        let plausible = match self.direction {
            Direction::ToServer => {
                self.line.first().is_none_or(u8::is_ascii_alphabetic)
            }
            Direction::ToClient => {
                let length = self.line.len().min(7);
                self.line[..length] == b"HTTP/1."[..length]
            }
        };
        if !plausible {
            return Err(Fault::NotHttp);
        }
        if !ended? {
            return Ok(None);
        }
        let mut headers = [httparse::EMPTY_HEADER; MOST_HEADERS];
        let (event, state) = match self.direction {
            Direction::ToServer => {
                let mut head = httparse::Request::new(&mut headers);
                if !is_complete(head.parse(&self.line))? {
                    return Ok(None);
                }
                let request = Request {
                    method: head.method.unwrap_or_default().to_owned(),
                    target: head.path.unwrap_or_default().to_owned(),
                    version: head.version.unwrap_or(1),
                    headers: owned(head.headers),
                };
                let state = request_body(&request.headers)?;
                (Event::Request(request), state)
            }
            Direction::ToClient => {
                let mut head = httparse::Response::new(&mut headers);
                if !is_complete(head.parse(&self.line))? {
                    return Ok(None);
                }
                let response = Response {
                    status: head.code.unwrap_or_default(),
                    reason: head.reason.unwrap_or_default().to_owned(),
                    version: head.version.unwrap_or(1),
                    headers: owned(head.headers),
                };
                let state = response_body(&response, bodiless)?;
                (Event::Response(response), state)
            }
        };
        self.line.clear();
        self.state = state;
        Ok(Some(event))
    }
}

/// The most header fields of a head.
const MOST_HEADERS: usize = 100;

fn is_complete(head: httparse::Result<usize>) -> Result<bool, Fault> {
    match head {
        Ok(status) => Ok(status.is_complete()),
        Err(httparse::Error::TooManyHeaders) => Err(Fault::TooLong),
        Err(_) => Err(Fault::NotHttp),
    }
}

/// Moves one line, with its end, from `input` to `line`. `false`: the end has yet to
/// arrive.
fn take_line(
    line: &mut Vec<u8>,
    input: &mut &[u8],
    limit: usize,
) -> Result<bool, Fault> {
    let end = input.iter().position(|&byte| byte == b'\n');
    let length = end.map_or(input.len(), |end| end + 1);
    let room = limit.saturating_sub(line.len());
    let (taken, rest) = input.split_at(length.min(room));
    line.extend_from_slice(taken);
    *input = rest;
    match length > room {
        true => Err(Fault::TooLong),
        false => Ok(end.is_some()),
    }
}

fn take_body(body: &mut Body, input: &mut &[u8], left: u64, limits: Limits) -> u64 {
    let length = input.len().min(usize::try_from(left).unwrap_or(usize::MAX));
    let (taken, rest) = input.split_at(length);
    keep(&mut body.bytes, taken, limits.body);
    *input = rest;
    body.length = body.length.saturating_add(length as u64);
    length as u64
}

fn chunk_size(line: &[u8]) -> Result<u64, Fault> {
    match httparse::parse_chunk_size(line) {
        Ok(httparse::Status::Complete((_, size))) if line[0].is_ascii_hexdigit() => {
            Ok(size)
        }
        _ => Err(Fault::Chunk),
    }
}

fn owned(headers: &[httparse::Header<'_>]) -> Headers {
    let text = |value| String::from_utf8_lossy(value).into_owned();
    let owned = headers.iter().map(|h| (h.name.to_owned(), text(h.value)));
    owned.collect()
}

/// RFC 9112, section 6.3, rules 3 to 5.
fn declared_body(headers: &Headers) -> Result<Option<State>, Fault> {
    if let Some(last) = members(headers, "transfer-encoding").last() {
        return match last.eq_ignore_ascii_case("chunked") {
            true => Ok(Some(State::ChunkSize)),
            false => Err(Fault::TransferEncoding),
        };
    }
    let mut length = None;
    for value in all(headers, "content-length").flat_map(|v| v.split(',')) {
        let value = value.trim();
        let digits = value.bytes().all(|byte| byte.is_ascii_digit());
        match value.parse::<u64>() {
            Ok(n) if digits && length.is_none_or(|length| length == n) => {
                length = Some(n);
            }
            _ => return Err(Fault::ContentLength),
        }
    }
    Ok(length.map(exactly))
}

fn exactly(length: u64) -> State {
    match length {
        0 => State::Head,
        length => State::Exactly(length),
    }
}

/// RFC 9112, section 6.3, rule 7: a request that declares no body has none.
fn request_body(headers: &Headers) -> Result<State, Fault> {
    Ok(declared_body(headers)?.unwrap_or(State::Head))
}

/// RFC 9112, section 6.3, rules 1, 2, 4 and 8.
fn response_body(response: &Response, bodiless: bool) -> Result<State, Fault> {
    if bodiless || matches!(response.status, 100..=199 | 204 | 304) {
        return Ok(State::Head);
    }
    match declared_body(&response.headers) {
        Err(Fault::TransferEncoding) => Ok(State::UntilClose),
        declared => Ok(declared?.unwrap_or(State::UntilClose)),
    }
}
