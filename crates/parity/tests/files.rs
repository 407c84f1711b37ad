//! The client files, as Node's Socket.IO serves them.

use std::{
    fs,
    io::{BufRead, BufReader, Read},
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use axum::{Router, ServiceExt, extract::Request, routing::get};
use parity::ClientFiles;
use socketioxide::SocketIo;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

mod support;
use support::{serve_app, soon};

/// An answer, without the headers that belong to the connection and not to the file:
/// `Date`, `Connection`, `Keep-Alive`, and how its length is told.
#[derive(Debug, PartialEq)]
struct Answer {
    status: u16,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl Answer {
    fn header(&self, name: &str) -> Option<&str> {
        let mut headers = self.headers.iter();
        let found = headers.find(|(header, _)| header == name);
        found.map(|(_, value)| value.as_str())
    }

    /// The body without its compression.
    fn plain(&self) -> Vec<u8> {
        let (mut plain, body) = (Vec::new(), self.body.as_slice());
        match self.header("content-encoding") {
            None => return self.body.clone(),
            Some("gzip") => {
                flate2::read::GzDecoder::new(body).read_to_end(&mut plain)
            }
            Some("deflate") => {
                flate2::read::ZlibDecoder::new(body).read_to_end(&mut plain)
            }
            Some("br") => {
                brotli::BrotliDecompress(&mut { body }, &mut plain).map(|()| 0)
            }
            Some(other) => panic!("nobody asked for {other}"),
        }
        .expect("it is compressed");
        plain
    }
}

/// `headers` are lines, each with its end.
async fn ask(
    address: SocketAddr,
    method: &str,
    path: &str,
    headers: &str,
) -> Answer {
    let request = format!(
        "{method} {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{headers}\r\n"
    );
    let mut stream = TcpStream::connect(address).await.expect("it listens");
    let sent = stream.write_all(request.as_bytes()).await;
    sent.expect("it is open");
    let mut answer = Vec::new();
    let read = soon(stream.read_to_end(&mut answer)).await;
    read.expect("it answers");
    let end = answer.windows(4).position(|four| four == b"\r\n\r\n");
    let (head, body) = answer.split_at(end.expect("a head") + 4);
    let head = str::from_utf8(head).expect("ASCII");
    let mut lines = head.trim_end().split("\r\n");
    let status = lines.next().and_then(|line| line.split(' ').nth(1));
    let mut headers = lines
        .map(|line| line.split_once(": ").expect("a header"))
        .map(|(name, value)| (name.to_lowercase(), value.to_owned()))
        .collect::<Vec<_>>();
    headers.sort();
    let chunked = headers.iter().any(|(_, value)| value == "chunked");
    headers.retain(|(name, _)| {
        let of_connection = [
            "connection",
            "content-length",
            "date",
            "keep-alive",
            "transfer-encoding",
        ];
        !of_connection.contains(&name.as_str())
    });
    Answer {
        status: status.and_then(|s| s.parse().ok()).expect("a status"),
        headers,
        body: if chunked {
            unchunk(body)
        } else {
            body.to_vec()
        },
    }
}

/// RFC 9112, section 7.1.
fn unchunk(mut body: &[u8]) -> Vec<u8> {
    let mut whole = Vec::new();
    while !body.is_empty() {
        let end = body.windows(2).position(|two| two == b"\r\n");
        let (size, rest) = body.split_at(end.expect("a size"));
        let size = str::from_utf8(size).expect("ASCII");
        let size = usize::from_str_radix(size, 16).expect("a number");
        whole.extend_from_slice(&rest[2..2 + size]);
        body = &rest[2 + size + 2..];
        if size == 0 {
            break;
        }
    }
    whole
}

async fn serve(files: ClientFiles) -> SocketAddr {
    let (layer, _io) = SocketIo::new_layer();
    let app = Router::new().route("/", get(async || "Hello World"));
    serve_app(parity::attach(app, layer, files)).await
}

/// What a package of npm's looks like, in a folder of its own.
struct Package(PathBuf);

impl Package {
    fn new(name: &str) -> Self {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        fs::create_dir_all(folder.join("dist")).expect("a folder");
        let package = Self(folder);
        package.write("package.json", r#"{"name": "x", "version": "4.8.4"}"#);
        package
    }

    fn write(&self, file: &str, text: &str) {
        fs::write(self.0.join(file), text).expect("it can be written");
    }

    fn files(&self) -> ClientFiles {
        ClientFiles::new(self.0.join("dist"))
    }
}

#[tokio::test]
async fn socketioxide_alone_serves_no_client() {
    let (layer, _io) = SocketIo::new_layer();
    // Not even with a route for it, if it comes before the layer.
    let route = get(async || "client");
    let app = Router::new()
        .route("/socket.io/socket.io.js", route)
        .layer(layer);
    let address = serve_app(app).await;
    let answer = ask(address, "GET", "/socket.io/socket.io.js", "").await;
    assert_eq!(answer.status, 400);
}

#[tokio::test]
async fn the_official_files_are_served_as_they_are() {
    let package = Package::new("official");
    let long = "// a comment\n".repeat(10_000);
    package.write("dist/socket.io.js", &long);
    package.write("dist/socket.io.js.map", "{}");
    let address = serve(package.files()).await;
    for (file, content_type, text) in [
        ("socket.io.js", "application/javascript", long.as_str()),
        ("socket.io.js.map", "application/json", "{}"),
    ] {
        let path = format!("/socket.io/{file}?v=1");
        for (accept, encoding) in [
            ("", None),
            ("Accept-Encoding: gzip, deflate, br\r\n", Some("gzip")),
            ("Accept-Encoding: deflate\r\n", Some("deflate")),
            ("Accept-Encoding: br\r\n", Some("br")),
        ] {
            let answer = ask(address, "GET", &path, accept).await;
            let content_type = format!("{content_type}; charset=utf-8");
            let mut headers = vec![
                ("cache-control", "public, max-age=0"),
                ("content-type", &content_type),
                ("etag", "\"4.8.4\""),
            ];
            headers.extend(encoding.map(|name| ("content-encoding", name)));
            headers.sort_unstable();
            let got = answer.headers.iter();
            let got = got.map(|(name, value)| (name.as_str(), value.as_str()));
            assert_eq!(got.collect::<Vec<_>>(), headers);
            assert_eq!(answer.plain(), text.as_bytes());
            assert_eq!(answer.body == text.as_bytes(), encoding.is_none());
        }
    }
}

#[tokio::test]
async fn who_has_the_version_is_not_sent_it_again() {
    let package = Package::new("etag");
    package.write("dist/socket.io.js", "client");
    let address = serve(package.files()).await;
    for (known, status) in [
        ("\"4.8.4\"", 304),
        ("W/\"4.8.4\"", 304),
        ("\"4.8.3\"", 200),
        ("4.8.4", 200),
        ("*", 200),
        ("\"4.8.4\", \"4.8.3\"", 200),
    ] {
        let header = format!("If-None-Match: {known}\r\n");
        let answer = ask(address, "GET", "/socket.io/socket.io.js", &header).await;
        assert_eq!(answer.status, status, "{known}");
        if status == 304 {
            assert_eq!((answer.headers, answer.body), (vec![], vec![]));
        }
    }
}

#[tokio::test]
async fn without_npm_there_is_a_client_of_our_own() {
    let address = serve(ClientFiles::new("/no/such/folder")).await;
    let path = "/socket.io/socket.io.js";
    let client = ask(address, "GET", path, "").await;
    assert_eq!(client.status, 200);
    assert_eq!(client.body, include_bytes!("../src/client.js"));
    let etag = client.header("etag").expect("it has one").to_owned();
    assert_ne!(etag, "\"4.8.4\"");
    let known = format!("If-None-Match: {etag}\r\n");
    assert_eq!(ask(address, "GET", path, &known).await.status, 304);
}

#[tokio::test]
async fn the_rest_of_the_path_is_socket_io_and_the_rest_of_the_app_is_the_apps() {
    let address = serve(ClientFiles::own()).await;
    let open = "/socket.io/?EIO=4&transport=polling";
    let opened = ask(address, "GET", open, "").await;
    assert!(opened.body.starts_with(b"0{\"sid\":"));
    let unknown = ask(address, "GET", "/socket.io/other.js", "").await;
    assert_eq!(unknown.status, 400);
    assert_eq!(ask(address, "GET", "/", "").await.body, b"Hello World");
}

/// Opens a session with one request, and asks for its packets with another. What status
/// does that have?
async fn second_request(app: Router) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("it is bound");
    // As hyper serves it, request by request. `axum::serve(listener, app)` would prepare
    // the app for that.
    let service = ServiceExt::<Request>::into_make_service(app);
    tokio::spawn(async { axum::serve(listener, service).await });
    let open = "/socket.io/?EIO=4&transport=polling";
    let opened = ask(address, "GET", open, "").await.body;
    let opened = String::from_utf8(opened).expect("text");
    let (_, rest) = opened.split_once("\"sid\":\"").expect("a session");
    let path = format!("{open}&sid={}", &rest[..16]);
    ask(address, "GET", &path, "").await.status
}

#[tokio::test]
async fn a_layer_alone_forgets_sessions_if_there_is_a_fallback() {
    let (layer, _io) = SocketIo::new_layer();
    let app = Router::new().fallback(async || "nothing").layer(layer);
    assert_eq!(second_request(app).await, 400);
}

#[tokio::test]
async fn a_session_lasts_from_one_request_to_the_next() {
    let (layer, _io) = SocketIo::new_layer();
    let app = Router::new().fallback(async || "nothing");
    let app = parity::attach(app, layer, ClientFiles::own());
    assert_eq!(second_request(app).await, 200);
}

/// Node's Socket.IO, which serves at a free port until it is dropped.
struct Node(Child, SocketAddr);

impl Node {
    fn start(modules: &Path) -> Self {
        let program = "
            const { Server } = require('socket.io');
            const server = require('http').createServer((req, res) => res.end());
            new Server(server);
            server.listen(0, '127.0.0.1', () => console.log(server.address().port));";
        let mut child = Command::new("node")
            .args(["--eval", program])
            .current_dir(modules)
            .stdout(Stdio::piped())
            .spawn()
            .expect("Node.js is installed");
        let mut line = String::new();
        let stdout = child.stdout.take().expect("it is piped");
        BufReader::new(stdout).read_line(&mut line).expect("a port");
        let port: u16 = line.trim().parse().expect("a port");
        Self(child, ([127, 0, 0, 1], port).into())
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        // Both fail only if it has ended.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Node.js, and socket.io in examples/node_modules"]
async fn each_answer_is_nodes() {
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples");
    let node = Node::start(&examples);
    let official = examples.join("node_modules/socket.io/client-dist");
    let address = serve(ClientFiles::new(official)).await;
    for name in [
        "socket.io",
        "socket.io.min",
        "socket.io.esm.min",
        "socket.io.msgpack.min",
    ] {
        for path in [format!("{name}.js"), format!("{name}.js.map")] {
            let path = format!("/socket.io/{path}");
            for (method, headers) in [
                ("GET", ""),
                ("HEAD", ""),
                ("HEAD", "Accept-Encoding: gzip\r\n"),
                ("POST", "Content-Length: 0\r\n"),
                ("OPTIONS", ""),
                ("GET", "Accept-Encoding: gzip, deflate, br, zstd\r\n"),
                ("GET", "Accept-Encoding: deflate\r\n"),
                ("GET", "Accept-Encoding: *\r\n"),
                ("GET", "Accept-Encoding: *, gzip;q=0.5\r\n"),
                ("GET", "Accept-Encoding: br;q=0.9, gzip;q=0.8\r\n"),
                ("GET", "Accept-Encoding: br;q=0, *;q=0.1\r\n"),
                (
                    "GET",
                    "Accept-Encoding: deflate\r\nAccept-Encoding: gzip\r\n",
                ),
                ("GET", "Accept-Encoding: identity;q=0\r\n"),
                ("GET", "If-None-Match: \"4.8.4\"\r\n"),
                ("GET", "If-None-Match: W/\"4.8.4\"\r\n"),
                ("GET", "If-None-Match: *\r\n"),
                ("GET", "If-None-Match: \"4.8.4\", \"1\"\r\n"),
                ("GET", "Range: bytes=0-9\r\n"),
                ("GET", "Origin: http://localhost:1\r\n"),
            ] {
                let ours = ask(address, method, &path, headers).await;
                let nodes = ask(node.1, method, &path, headers).await;
                let about = format!("{method} {path} {headers}");
                assert_eq!(ours.status, nodes.status, "{about}");
                assert_eq!(ours.headers, nodes.headers, "{about}");
                if method == "HEAD" {
                    assert_eq!((ours.body.len(), nodes.body.len()), (0, 0));
                } else {
                    assert!(ours.plain() == nodes.plain(), "{about}");
                }
            }
        }
    }
}
