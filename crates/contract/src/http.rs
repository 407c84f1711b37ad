use std::fmt::{self, Write as _};

use serde_json::Value;

use wire::http::{Headers, header, lists};

use crate::{Failure, Result, recording::Moment};

/// An HTTP/1.1 request (RFC 9112, section 3), as the contract writes it on the wire.
#[derive(Clone, Debug)]
pub struct Request {
    pub(crate) method: String,
    path: String,
    headers: Headers,
    body: Vec<u8>,
}

impl Request {
    /// A request with any method, without a body.
    pub fn new(method: &str, path: &str) -> Self {
        Self {
            method: method.into(),
            path: path.into(),
            headers: Vec::new(),
            body: Vec::new(),
        }
    }

    /// `GET path`.
    pub fn get(path: &str) -> Self {
        Self::new("GET", path)
    }

    /// `POST path` with `body` declared as JSON, whether it is or not.
    pub fn post_json(path: &str, body: impl Into<Vec<u8>>) -> Self {
        Self::new("POST", path)
            .header("content-type", "application/json")
            .body(body)
    }

    /// The same request with one more header.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// The same request without the header `name`, which is written as it was given.
    #[must_use]
    pub fn without(mut self, name: &str) -> Self {
        self.headers.retain(|(given, _)| given != name);
        self
    }

    /// The same request with another method.
    #[must_use]
    pub fn method(mut self, method: &str) -> Self {
        self.method = method.into();
        self
    }

    /// The same request with this body; its `content-length` is added.
    #[must_use]
    pub fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        let length = self.body.len().to_string();
        self.header("content-length", &length)
    }

    /// The bytes of the request, with `host` as its `Host` (RFC 9110, section 7.2).
    pub fn to_bytes(&self, host: &str) -> Vec<u8> {
        let mut head =
            format!("{} {} HTTP/1.1\r\nhost: {host}\r\n", self.method, self.path);
        for (name, value) in &self.headers {
            let _ = write!(head, "{name}: {value}\r\n");
        }
        head.push_str("\r\n");
        let mut bytes = head.into_bytes();
        bytes.extend_from_slice(&self.body);
        bytes
    }
}

/// A response as it came over the wire. Its failures show the wire up to its end.
#[derive(Debug)]
pub struct Response {
    pub(crate) status: u16,
    pub(crate) headers: Headers,
    pub(crate) body: Vec<u8>,
    pub(crate) moment: Moment,
}

/// The value of a header in a failure.
struct Shown<'a>(Option<&'a str>);

impl fmt::Debug for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(value) => write!(f, "{value:?}"),
            None => f.write_str("no such header"),
        }
    }
}

impl Response {
    /// The status code.
    pub fn status(&self) -> u16 {
        self.status
    }

    /// The value of a header, whose name may be in any case; `None` if it is absent.
    pub fn header(&self, name: &str) -> Option<&str> {
        header(&self.headers, name)
    }

    /// The body, as text; bytes that are not UTF-8 show as U+FFFD.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body, as JSON.
    ///
    /// # Errors
    ///
    /// The content type is different, or the body is not JSON.
    pub fn json(&self) -> Result<Value> {
        let declared = self.header("content-type");
        let kind = declared.and_then(|declared| declared.split(';').next());
        if kind != Some("application/json") {
            return Err(self.failure(
                "content-type",
                &"application/json",
                &Shown(declared),
            ));
        }
        serde_json::from_slice(&self.body)
            .map_err(|error| Failure::new(format!("the body: {error}")))
            .map_err(|failure| failure.with(self.moment.transcript()))
    }

    /// Fails unless the status is `expected`.
    ///
    /// # Errors
    ///
    /// The status is different.
    pub fn expect_status(&self, expected: u16) -> Result<&Self> {
        self.check("status", &expected, &self.status, expected == self.status)
    }

    /// Fails unless the header `name` is there with that value.
    ///
    /// # Errors
    ///
    /// It is absent, or its value is different.
    pub fn expect_header(&self, name: &str, expected: &str) -> Result<&Self> {
        let got = self.header(name);
        let holds = got == Some(expected);
        self.check(name, &expected, &Shown(got), holds)
    }

    /// Fails unless the header `name` is there with that value, in any case.
    pub(crate) fn expect_alike(&self, name: &str, expected: &str) -> Result<&Self> {
        let got = self.header(name);
        let alike = got.is_some_and(|got| got.eq_ignore_ascii_case(expected));
        self.check(name, &expected, &Shown(got), alike)
    }

    /// Fails unless `member` is in the list `name`, in any case (RFC 9110, section 5.6.1).
    pub(crate) fn expect_listed(&self, name: &str, member: &str) -> Result<&Self> {
        let got = Shown(self.header(name));
        self.check(name, &member, &got, lists(&self.headers, name, member))
    }

    /// Fails if the header `name` is there.
    ///
    /// # Errors
    ///
    /// It is.
    pub fn expect_no_header(&self, name: &str) -> Result<&Self> {
        let got = self.header(name);
        self.check(name, &Shown(None), &Shown(got), got.is_none())
    }

    /// Fails unless the body is `expected`, byte for byte.
    ///
    /// # Errors
    ///
    /// The body is different.
    pub fn expect_body(&self, expected: &str) -> Result<&Self> {
        if self.body == expected.as_bytes() {
            return Ok(self);
        }
        let both = (expected.as_bytes(), &*self.body);
        let failure = Failure::differing("body", both, || {
            (format!("{expected:?}"), format!("{:?}", self.text()))
        });
        Err(failure.with(self.moment.transcript()))
    }

    /// Fails unless the body is declared as JSON and has the value `expected`.
    ///
    /// # Errors
    ///
    /// It is not, or does not.
    pub fn expect_json(&self, expected: &Value) -> Result<&Self> {
        let got = self.json()?;
        if got == *expected {
            return Ok(self);
        }
        let failure =
            Failure::texts("body", &expected.to_string(), &got.to_string());
        Err(failure.with(self.moment.transcript()))
    }

    /// Fails unless this is an error in the form of every lesson: `status`, and a JSON
    /// object `{"error": "…"}` with some text and nothing else.
    ///
    /// # Errors
    ///
    /// It is not.
    pub fn expect_error(&self, status: u16) -> Result<&Self> {
        self.expect_status(status)?;
        let got = self.json()?;
        let text = got["error"].as_str().unwrap_or("");
        let alone = got.as_object().is_some_and(|object| object.len() == 1);
        self.check(
            "body",
            &r#"{"error": "…"}"#,
            &got,
            alone && !text.is_empty(),
        )
    }

    fn check(
        &self,
        what: &str,
        expected: &dyn std::fmt::Debug,
        got: &dyn std::fmt::Debug,
        holds: bool,
    ) -> Result<&Self> {
        if holds {
            Ok(self)
        } else {
            Err(self.failure(what, expected, got))
        }
    }

    fn failure(
        &self,
        what: &str,
        expected: &dyn std::fmt::Debug,
        got: &dyn std::fmt::Debug,
    ) -> Failure {
        Failure::expected(what, expected, got).with(self.moment.transcript())
    }
}
