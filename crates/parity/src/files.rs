//! `<script src="/socket.io/socket.io.js">`.

use std::{
    fs,
    hash::{DefaultHasher, Hash, Hasher},
    io::{self, Write},
    path::{Path, PathBuf},
    sync::Arc,
};

use axum::{
    Router,
    body::Body,
    http::{HeaderMap, HeaderValue, Response, StatusCode, header},
    routing::any,
};
use bytes::Bytes;
use flate2::write::{GzEncoder, ZlibEncoder};
use socketioxide::{adapter::Adapter, layer::SocketIoLayer};
use tokio::sync::OnceCell;

/// What Node's Socket.IO serves at `/socket.io/`, each with a `.map`.
const OFFICIAL: [&str; 4] = [
    "socket.io.js",
    "socket.io.min.js",
    "socket.io.esm.min.js",
    "socket.io.msgpack.min.js",
];

/// The client for browsers.
///
/// Node's Socket.IO serves its client, at `/socket.io/socket.io.js` among others;
/// socketioxide serves none. These are the official files, with the headers with which
/// Node serves them, if npm has installed them, and else a client of the course's own.
pub struct ClientFiles {
    /// A version in quotes.
    etag: HeaderValue,
    files: Vec<File>,
}

struct File {
    name: String,
    source: Source,
    /// What has been served before, by [`Encoding`].
    encoded: [OnceCell<Bytes>; 4],
}

#[derive(Clone)]
enum Source {
    Path(PathBuf),
    Text(&'static str),
}

impl ClientFiles {
    /// The official files in `folder`, which is `node_modules/socket.io-client/dist` or
    /// `node_modules/socket.io/client-dist`; the course's client if they are not there.
    pub fn new(folder: impl AsRef<Path>) -> Self {
        let folder = folder.as_ref();
        let names = OFFICIAL
            .iter()
            .flat_map(|name| [(*name).to_owned(), format!("{name}.map")]);
        let files = names
            .filter(|name| folder.join(name).is_file())
            .map(|name| File::new(Source::Path(folder.join(&name)), name))
            .collect::<Vec<_>>();
        match version(folder) {
            Some(etag) if !files.is_empty() => Self { etag, files },
            _ => Self::own(),
        }
    }

    /// The course's own client, as `socket.io.js`. It is short, and its source is meant
    /// to be read; it speaks WebSocket only.
    pub fn own() -> Self {
        let client = include_str!("client.js");
        let mut hasher = DefaultHasher::new();
        client.hash(&mut hasher);
        let etag = format!("\"{:016x}\"", hasher.finish());
        Self {
            etag: HeaderValue::try_from(etag).expect("hexadecimal digits in quotes"),
            files: vec![File::new(Source::Text(client), OFFICIAL[0].to_owned())],
        }
    }
}

/// Adds Socket.IO and its client files to an app, as `new Server(httpServer)` does.
///
/// Do it last. A route that is added later is not behind the layer, which is right for the
/// client files; a fallback that is added later takes the place of everything else.
///
/// The app is made one service first. [`Router::layer`] wraps each route by itself, and a
/// fallback sometimes anew for every request, and each of them would know its own sessions
/// only: what a client on HTTP polling has begun in one request is unknown in the next.
///
/// ```js
/// const io = new Server(createServer(app));
/// ```
///
/// ```
/// # use axum::{Router, routing::get};
/// # use socketioxide::SocketIo;
/// let (layer, io) = SocketIo::new_layer();
/// let app = Router::new().route("/", get(async || "Hello World"));
/// let files = parity::ClientFiles::new("examples/node_modules/socket.io-client/dist");
/// let app = parity::attach(app, layer, files);
/// # let _: (Router, SocketIo) = (app, io);
/// ```
pub fn attach<A: Adapter>(
    app: Router,
    layer: SocketIoLayer<A>,
    files: ClientFiles,
) -> Router {
    // The layer takes all that begins with `/socket.io` for itself, so the files have to
    // be outside it.
    let app = app.with_state(());
    let mut app = Router::new().fallback_service(app).layer(layer);
    for file in files.files {
        let (path, file) = (format!("/socket.io/{}", file.name), Arc::new(file));
        let etag = files.etag.clone();
        // Node looks at the path alone, not at the method.
        let serve =
            any(async move |headers: HeaderMap| file.serve(&headers, etag).await);
        app = app.route(&path, serve);
    }
    app
}

impl File {
    fn new(source: Source, name: String) -> Self {
        Self {
            name,
            source,
            encoded: Default::default(),
        }
    }

    async fn serve(&self, headers: &HeaderMap, etag: HeaderValue) -> Response<Body> {
        if is_known(headers, &etag) {
            return respond(StatusCode::NOT_MODIFIED, Body::empty());
        }
        let encoding = Encoding::negotiate(headers);
        let source = self.source.clone();
        let encode = || async move {
            // Reading and compressing would keep other tasks waiting.
            tokio::task::spawn_blocking(move || encoding.encode(&source.read()?))
                .await?
        };
        let body = match self.encoded[encoding as usize]
            .get_or_try_init(encode)
            .await
        {
            Ok(body) => Body::from(body.clone()),
            Err(error) => {
                eprintln!("{}: {error}", self.name);
                return respond(StatusCode::INTERNAL_SERVER_ERROR, Body::empty());
            }
        };
        let content_type = if self.name.ends_with(".map") {
            "application/json; charset=utf-8"
        } else {
            "application/javascript; charset=utf-8"
        };
        let mut response = respond(StatusCode::OK, body);
        let to = response.headers_mut();
        let cache = HeaderValue::from_static("public, max-age=0");
        to.insert(header::CACHE_CONTROL, cache);
        to.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
        to.insert(header::ETAG, etag);
        if let Some(name) = encoding.name() {
            to.insert(header::CONTENT_ENCODING, HeaderValue::from_static(name));
        }
        response
    }
}

fn respond(status: StatusCode, body: Body) -> Response<Body> {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    response
}

impl Source {
    fn read(&self) -> io::Result<Vec<u8>> {
        match self {
            Self::Path(path) => fs::read(path),
            Self::Text(text) => Ok(text.as_bytes().to_vec()),
        }
    }
}

/// The version of the package to which a folder belongs, in quotes.
fn version(folder: &Path) -> Option<HeaderValue> {
    let package = fs::read(folder.parent()?.join("package.json")).ok()?;
    let package: serde_json::Value = serde_json::from_slice(&package).ok()?;
    HeaderValue::try_from(format!("\"{}\"", package["version"].as_str()?)).ok()
}

/// Whether the client has this version already: with this one `ETag`, strong or weak,
/// letter for letter. (RFC 9110, section 13.1.2, would have a list and `*` as well; Node's
/// Socket.IO looks for no more.)
fn is_known(headers: &HeaderMap, etag: &HeaderValue) -> bool {
    headers.get(header::IF_NONE_MATCH).is_some_and(|known| {
        let known = known.as_bytes();
        known.strip_prefix(b"W/").unwrap_or(known) == etag.as_bytes()
    })
}

/// How a body is compressed, in the order in which Node prefers them if it is all the same
/// to the client.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Encoding {
    Brotli,
    Gzip,
    Deflate,
    Identity,
}

impl Encoding {
    /// What `Accept-Encoding` asks for, as the npm package `negotiator` understands it
    /// (RFC 9110, section 12.5.3): the highest `q`, then what is named rather than meant
    /// by `*`, then what is named first.
    fn negotiate(headers: &HeaderMap) -> Self {
        let accept = headers.get_all(header::ACCEPT_ENCODING);
        let accept = accept.iter().filter_map(|accept| accept.to_str().ok());
        let accepted = accept
            .flat_map(|accept| accept.split(','))
            .map(|range| {
                let (name, parameters) =
                    range.split_once(';').unwrap_or((range, ""));
                let mut parameters = parameters.split(';');
                let q = parameters.find_map(|p| p.trim().strip_prefix("q="));
                let q = q.map_or(1.0, |q| q.parse().unwrap_or(0.0));
                (name.trim(), q)
            })
            .collect::<Vec<(&str, f32)>>();
        let mut best = (Self::Identity, (0.0, false, 0));
        for encoding in [Self::Brotli, Self::Gzip, Self::Deflate] {
            let named = |(place, (name, q)): (usize, &(&str, f32))| {
                let exact = encoding
                    .name()
                    .is_some_and(|own| own.eq_ignore_ascii_case(name));
                (exact || *name == "*").then_some((*q, exact, place))
            };
            // An exact name counts, whatever `*` says.
            let choice = accepted.iter().enumerate().filter_map(named).max_by(
                |(q, exact, _), (other_q, other_exact, _)| {
                    exact.cmp(other_exact).then(q.total_cmp(other_q))
                },
            );
            let Some(choice) = choice else { continue };
            let (_, (q, exact, place)) = best;
            let better = choice
                .0
                .total_cmp(&q)
                .then(choice.1.cmp(&exact))
                .then(place.cmp(&choice.2));
            if choice.0 > 0.0 && better.is_gt() {
                best = (encoding, choice);
            }
        }
        best.0
    }

    fn name(self) -> Option<&'static str> {
        match self {
            Self::Brotli => Some("br"),
            Self::Gzip => Some("gzip"),
            Self::Deflate => Some("deflate"),
            Self::Identity => None,
        }
    }

    fn encode(self, plain: &[u8]) -> io::Result<Bytes> {
        // 6 is zlib's default level.
        let level = flate2::Compression::new(6);
        let encoded = match self {
            Self::Brotli => {
                let params = brotli::enc::BrotliEncoderParams {
                    // Node takes 11, and two seconds without optimisation.
                    quality: 5,
                    size_hint: plain.len(),
                    ..Default::default()
                };
                let mut encoded = Vec::new();
                brotli::BrotliCompress(&mut &*plain, &mut encoded, &params)?;
                encoded
            }
            Self::Gzip => {
                let mut encoder = GzEncoder::new(Vec::new(), level);
                encoder.write_all(plain)?;
                encoder.finish()?
            }
            Self::Deflate => {
                let mut encoder = ZlibEncoder::new(Vec::new(), level);
                encoder.write_all(plain)?;
                encoder.finish()?
            }
            Self::Identity => plain.to_vec(),
        };
        Ok(encoded.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What `accepts(req).encodings(['br', 'gzip', 'deflate'])` returns in Node.
    #[test]
    fn an_encoding_is_chosen_as_node_does() {
        use Encoding::{Brotli, Deflate, Gzip, Identity};
        for (accept, expected) in [
            ("", Identity),
            ("gzip, deflate, br", Gzip),
            ("gzip, deflate, br, zstd", Gzip),
            ("br, gzip", Brotli),
            ("br;q=0.5, gzip", Gzip),
            ("br;q=0.9, gzip;q=0.8", Brotli),
            ("deflate", Deflate),
            ("GZIP", Gzip),
            ("*", Brotli),
            ("*, gzip", Gzip),
            ("br;q=0, *", Gzip),
            ("gzip;q=0", Identity),
            ("*;q=0", Identity),
            ("identity", Identity),
            ("identity, gzip", Gzip),
            ("identity;q=1, gzip;q=0.1", Gzip),
            ("zstd", Identity),
            ("gzip; q=0.2, deflate ; q=0.3", Deflate),
            ("gzip;q=x", Identity),
        ] {
            let mut headers = HeaderMap::new();
            headers
                .insert(header::ACCEPT_ENCODING, HeaderValue::from_static(accept));
            assert_eq!(Encoding::negotiate(&headers), expected, "{accept}");
        }
        assert_eq!(Encoding::negotiate(&HeaderMap::new()), Identity);
    }
}
