//! A real server on a free port, and clients that speak to it.

use super::*;
use crate::fixture::Fixture;
use futures_util::StreamExt as _;
use serde_json::Value;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    task::JoinHandle,
    time::timeout,
};
use tokio_tungstenite::{
    WebSocketStream, client_async,
    tungstenite::{
        self, Message, client::IntoClientRequest as _, http::Response as Answer,
    },
};

const DEADLINE: Duration = Duration::from_secs(20);

struct Server {
    tree: Fixture,
    address: String,
    builds: JoinHandle<()>,
}

type Socket = WebSocketStream<TcpStream>;

impl Server {
    async fn start(tree: Fixture) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("it listens").to_string();
        let root = tree.path().to_path_buf();
        let press = Press::new(&root).expect("target can be written");
        let (newest, latest) = watch::channel(Edition::default());
        let app = App {
            root: root.clone().into(),
            latest,
            open: mpsc::channel(1).0,
        };
        let builds = tokio::spawn(build_on_change(root, press, newest));
        tokio::spawn(axum::serve(listener, router(app)).into_future());
        Self {
            tree,
            address,
            builds,
        }
    }

    /// The answer to a request, head and body.
    async fn ask(&self, path: &str, host: &str) -> String {
        let mut stream =
            TcpStream::connect(&self.address).await.expect("it listens");
        let request = format!(
            "GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"
        );
        stream
            .write_all(request.as_bytes())
            .await
            .expect("it reads");
        let mut answer = Vec::new();
        let read = timeout(DEADLINE, stream.read_to_end(&mut answer));
        read.await.expect("in time").expect("it answers");
        String::from_utf8_lossy(&answer).into_owned()
    }

    async fn get(&self, path: &str) -> String {
        self.ask(path, &self.address).await
    }

    async fn open(&self, host: &str, origin: &str) -> tungstenite::Result<Socket> {
        let url = format!("ws://{}/__live", self.address);
        let mut request = url.into_client_request().expect("a URL");
        for (name, value) in [("host", host), ("origin", origin)] {
            let value = value.parse().expect("ASCII");
            request.headers_mut().insert(name, value);
        }
        let stream = TcpStream::connect(&self.address).await.expect("it listens");
        Ok(client_async(request, stream).await?.0)
    }

    async fn page(&self) -> Socket {
        let origin = format!("http://{}", self.address);
        self.open(&self.address, &origin)
            .await
            .expect("it is our own page")
    }
}

async fn told(socket: &mut Socket) -> Value {
    let message = timeout(DEADLINE, socket.next()).await.expect("in time");
    let message = message.expect("it is open").expect("it is a message");
    serde_json::from_str(message.to_text().expect("it is text")).expect("it is JSON")
}

#[tokio::test]
async fn pages_are_served_and_never_kept() {
    let server = Server::start(Fixture::book(&[("a.md", "# Hello\n")])).await;
    let page = server.get("/a.html").await;
    assert!(page.starts_with("HTTP/1.1 200 OK\r\n"), "{page}");
    assert!(page.contains("cache-control: no-store"), "{page}");
    assert!(page.contains("server-timing: build;desc=\""), "{page}");
    assert!(page.contains("Hello"), "{page}");
    let index = server.get("/").await;
    assert!(index.starts_with("HTTP/1.1 200 OK\r\n"), "{index}");
    let none = server.get("/nothing.html").await;
    assert!(none.starts_with("HTTP/1.1 404 Not Found\r\n"), "{none}");
    assert!(none.contains("Document not found"), "{none}");
}

#[tokio::test]
async fn nothing_outside_the_pages_is_served() {
    let tree = Fixture::book(&[("a.md", "# A\n")]).file("secret", "s3cret");
    let server = Server::start(tree).await;
    // The first build is in target/book/serve/PID/0, five folders down.
    server.get("/a.html").await;
    let pid = std::process::id();
    let pages = server
        .tree
        .path()
        .join(format!("target/book/serve/{pid}/0"));
    assert!(pages.join("../../../../../secret").is_file());
    for up in ["..", "%2e%2e", ".%2E"] {
        for slash in ["/", "%2f", "%5c", "\\"] {
            let path = format!("/{}secret", format!("{up}{slash}").repeat(5));
            let answer = server.get(&path).await;
            assert!(answer.starts_with("HTTP/1.1 404"), "{path}: {answer}");
            assert!(!answer.contains("s3cret"), "{path}: {answer}");
        }
    }
}

#[tokio::test]
async fn another_host_or_origin_is_refused() {
    let server = Server::start(Fixture::book(&[("a.md", "# A\n")])).await;
    // After the first build, or it would still be writing when the test has ended.
    server.get("/a.html").await;
    let answer = server.ask("/a.html", "example.com").await;
    assert!(answer.starts_with("HTTP/1.1 403"), "{answer}");
    // Another site; and one whose name resolves to us.
    for host in [&*server.address, "example.com:4000"] {
        let origin = "http://example.com:4000";
        let error = server.open(host, origin).await.expect_err("another site");
        let status = |answer: &Answer<_>| answer.status().as_u16();
        assert!(
            matches!(&error, tungstenite::Error::Http(a) if status(a) == 403),
            "{host}: {error}"
        );
    }
    let answer = server.get("/__live").await;
    assert!(answer.starts_with("HTTP/1.1 403"), "{answer}");
}

#[tokio::test]
async fn an_open_page_learns_of_every_build() {
    let server = Server::start(Fixture::book(&[("a.md", "# A\n")])).await;
    let mut page = server.page().await;
    let first = told(&mut page).await;
    assert_eq!(first["problems"], serde_json::json!([]));

    server.tree.write("book/src/a.md", "# A\n\nmore\n");
    let second = told(&mut page).await;
    assert_ne!(second["build"], first["build"]);
    assert!(server.get("/a.html").await.contains("more"));

    server
        .tree
        .write("book/src/a.md", "# A\n\nmore\n\n[x](#y)\n");
    let bad = told(&mut page).await;
    assert_eq!(bad["build"], second["build"]);
    let problem = bad["problems"][0].as_str().expect("there is one");
    assert!(problem.starts_with("book/src/a.md:5: "), "{problem}");
    assert!(server.get("/a.html").await.contains("more"));

    server.tree.write("book/src/a.md", "# A\n\nmore\n");
    let fixed = told(&mut page).await;
    assert_eq!(fixed, second);
}

#[tokio::test]
async fn a_first_build_that_fails_is_shown_as_a_page() {
    let server =
        Server::start(Fixture::book(&[("a.md", "# A\n\n[<x>](#y)\n")])).await;
    let page = server.get("/a.html").await;
    assert!(page.starts_with("HTTP/1.1 503"), "{page}");
    assert!(page.contains("<code>book/src/a.md:3: "), "{page}");
    assert!(
        page.contains("server-timing: build;desc=\"none\""),
        "{page}"
    );
    assert!(
        page.contains("// live"),
        "the script that reloads it: {page}"
    );
    let mut socket = server.page().await;
    assert_eq!(told(&mut socket).await["build"], "none");
    server.tree.write("book/src/a.md", "# Fixed\n");
    assert_ne!(told(&mut socket).await["build"], "none");
    assert!(server.get("/a.html").await.contains("Fixed"));
}

#[tokio::test]
async fn live_sockets_are_closed_at_the_end() {
    let server = Server::start(Fixture::book(&[("a.md", "# A\n")])).await;
    let mut page = server.page().await;
    told(&mut page).await;
    server.builds.abort();
    let message = timeout(DEADLINE, page.next()).await.expect("in time");
    let Some(Ok(Message::Close(Some(frame)))) = message else {
        panic!("a close frame and not {message:?}");
    };
    assert_eq!(u16::from(frame.code), 1001);
}

#[tokio::test]
async fn a_client_that_falls_silent_does_not_hold_up_the_end() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("it listens");
    let (_newest, latest) = watch::channel(Edition::default());
    let (open, all_closed) = mpsc::channel(1);
    let root = Path::new("unused").into();
    let app = App { root, latest, open };
    let (stop, stopped) = oneshot::channel::<()>();
    let stopped = async {
        let _ = stopped.await;
    };
    let builds = tokio::spawn(std::future::pending::<()>()).abort_handle();
    let server = tokio::spawn(run(listener, app, all_closed, stopped, builds));

    let mut silent = TcpStream::connect(address).await.expect("it listens");
    silent
        .write_all(b"GET / HTTP/1.1\r\nHost: 127")
        .await
        .expect("it reads");
    stop.send(()).expect("it waits for this");
    let ended = timeout(DEADLINE, server).await.expect("in time");
    ended
        .expect("it does not panic")
        .expect("it is not an error");
}
