//! Servers of a few bytes.

use std::io;

use contract::{Connection, Result};
use tokio::{
    io::AsyncReadExt,
    net::{TcpListener, TcpStream},
};

/// The right answer to the kit's handshake.
pub(crate) const ACCEPTED: &str = "HTTP/1.1 101 Switching Protocols\r\n\
    connection: Upgrade\r\nupgrade: websocket\r\n\
    sec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";

/// A connection to a server that does this once it has read the head of a request.
pub(crate) async fn after_head<F>(
    serve: impl FnOnce(TcpStream) -> F + Send + 'static,
) -> Result<Connection>
where
    F: Future<Output = io::Result<()>> + Send,
{
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let addr = listener.local_addr()?;
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await?;
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(stream.read_u8().await?);
        }
        serve(stream).await
    });
    Connection::open(addr).await
}
