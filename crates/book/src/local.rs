//! Who may talk to this server: the browser of the person who started it.
//!
//! Every website that they visit can send requests to 127.0.0.1 too. A site whose name
//! was changed to resolve to 127.0.0.1 (DNS rebinding) sends its own name as `Host`; a
//! site that opens a WebSocket to us is named in `Origin`.

use axum::{
    extract::Request,
    http::{HeaderMap, StatusCode, header, uri::Authority},
    middleware::Next,
    response::{IntoResponse, Response},
};

/// Middleware: refuses requests whose `Host` is not this machine.
pub(crate) async fn only_this_machine(request: Request, next: Next) -> Response {
    match host(request.headers()) {
        Some(host) if is_loopback(host) => next.run(request).await,
        _ => {
            let why = "this server answers only to 127.0.0.1 and localhost\n";
            (StatusCode::FORBIDDEN, why).into_response()
        }
    }
}

/// Whether the request comes from one of our own pages. A browser always says so when
/// it opens a WebSocket.
pub(crate) fn same_origin(headers: &HeaderMap) -> bool {
    let origin = headers
        .get(header::ORIGIN)
        .and_then(|value| value.to_str().ok());
    match (origin, host(headers)) {
        (Some(origin), Some(host)) => origin.strip_prefix("http://") == Some(host),
        _ => false,
    }
}

fn host(headers: &HeaderMap) -> Option<&str> {
    headers.get(header::HOST)?.to_str().ok()
}

fn is_loopback(host: &str) -> bool {
    host.parse::<Authority>().is_ok_and(|name| {
        matches!(name.host(), "127.0.0.1" | "localhost" | "[::1]")
            && !host.contains('@')
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_of_this_machine_are_answered() {
        for good in ["127.0.0.1:4000", "127.0.0.1", "localhost:80", "[::1]:4000"] {
            assert!(is_loopback(good), "{good}");
        }
        for bad in [
            "",
            "example.com",
            "127.0.0.1.example.com:4000",
            "localhost@example.com",
            "example.com@localhost",
            "10.0.0.1",
        ] {
            assert!(!is_loopback(bad), "{bad}");
        }
    }

    #[test]
    fn another_site_or_port_is_another_origin() {
        let ask = |origin: Option<&str>| {
            let mut headers = HeaderMap::new();
            headers.insert(header::HOST, "127.0.0.1:4000".parse().expect("ASCII"));
            if let Some(origin) = origin {
                headers.insert(header::ORIGIN, origin.parse().expect("ASCII"));
            }
            same_origin(&headers)
        };
        assert!(ask(Some("http://127.0.0.1:4000")));
        for bad in [
            None,
            Some("null"),
            Some("http://127.0.0.1:3000"),
            Some("https://127.0.0.1:4000"),
            Some("http://example.com"),
            Some("http://127.0.0.1:4000.example.com"),
        ] {
            assert!(!ask(bad), "{bad:?}");
        }
    }
}
