//! Requests as an attacker writes them: byte by byte, so that nobody tidies them up on the way.

use aar_api::client::Address;
use serde_json::Value;
use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::os::unix::net::UnixStream;
use std::time::Duration;

/// Longer than any long poll.
const PATIENCE: Duration = Duration::from_secs(60);

/// A server's address.
#[derive(Clone)]
pub struct Wire(pub Address);

/// One request.
#[derive(Clone)]
pub struct Request {
    /// `GET`, `POST`, or whatever one likes.
    pub method: &'static str,
    /// As it is sent.
    pub target: String,
    /// Whole lines.
    pub headers: Vec<String>,
    /// As it is sent.
    pub body: Vec<u8>,
}

/// What came back. Status 0: the server hung up.
#[derive(Debug)]
pub struct Answer {
    /// Of HTTP.
    pub status: u16,
    /// The rest.
    pub body: Vec<u8>,
}

impl Request {
    /// A GET with a token.
    pub fn get(target: &str, token: &str) -> Self {
        Self { method: "GET", target: target.into(), headers: vec![bearer(token)], body: vec![] }
    }

    /// A POST of JSON, or of what only looks like it, with a token.
    pub fn post(target: &str, token: &str, body: impl Into<Vec<u8>>) -> Self {
        let headers = vec![bearer(token), "content-type: application/json".into()];
        Self { method: "POST", target: target.into(), headers, body: body.into() }
    }
}

fn bearer(token: &str) -> String {
    format!("authorization: Bearer {token}")
}

impl Answer {
    /// The body as JSON; `null` where it is none.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    /// Whether it was done.
    pub fn done(&self) -> bool {
        (200..300).contains(&self.status)
    }
}

trait Stream: Read + Write {}
impl<T: Read + Write> Stream for T {}

impl Wire {
    fn open(&self) -> io::Result<Box<dyn Stream>> {
        match &self.0 {
            Address::Unix(path) => {
                let stream = UnixStream::connect(path)?;
                stream.set_read_timeout(Some(PATIENCE))?;
                Ok(Box::new(stream))
            }
            Address::Http(base) => {
                let host = base.trim_start_matches("http://").split('/').next().unwrap_or_default();
                let stream = TcpStream::connect(host)?;
                stream.set_read_timeout(Some(PATIENCE))?;
                Ok(Box::new(stream))
            }
        }
    }

    /// Send a request on a connection of its own.
    pub fn send(&self, request: &Request) -> io::Result<Answer> {
        let mut stream = self.open()?;
        let mut bytes =
            format!("{} {} HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: close\r\n", request.method, request.target);
        for line in &request.headers {
            bytes += &format!("{line}\r\n");
        }
        bytes += &format!("content-length: {}\r\n\r\n", request.body.len());
        // A server that has seen enough hangs up while we still write; what it said is there all the same.
        let _ = stream.write_all(bytes.as_bytes()).and_then(|()| stream.write_all(&request.body));
        let mut raw = Vec::new();
        match stream.read_to_end(&mut raw) {
            Err(error) if raw.is_empty() && error.kind() != io::ErrorKind::ConnectionReset => Err(error),
            _ => Ok(parse(&raw)),
        }
    }
}

fn parse(raw: &[u8]) -> Answer {
    let end = raw.windows(4).position(|window| window == b"\r\n\r\n");
    let head = String::from_utf8_lossy(&raw[..end.unwrap_or(0)]);
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0);
    Answer { status, body: end.map_or(vec![], |end| raw[end + 4..].to_vec()) }
}
