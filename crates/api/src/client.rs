//! A blocking client over a unix socket (`unix:/path`) or loopback HTTP (`http://127.0.0.1:port`).

use crate::error::{ErrorBody, ErrorCode};
use reqwest::Method;
use serde::{Serialize, de::DeserializeOwned};
use std::path::PathBuf;
use std::time::Duration;

/// Where the server is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Address {
    /// A unix socket.
    Unix(PathBuf),
    /// A base URL without a trailing slash.
    Http(String),
}

/// Why a call failed.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// Neither `unix:` nor `http://`.
    #[error("address {0:?} is neither unix:PATH nor http://HOST:PORT")]
    Address(String),
    /// The server could not be reached, or broke off.
    #[error("reach the server ({path})")]
    Transport {
        /// The path that was called.
        path: String,
        /// The cause.
        source: reqwest::Error,
    },
    /// The server refused.
    #[error("{}", .0.message)]
    Refused(ErrorBody),
    /// The answer was not what the path promises.
    #[error("read the answer of {path}: {detail}")]
    Answer {
        /// The path that was called.
        path: String,
        /// What is wrong with it.
        detail: String,
    },
}

/// An error with all its causes: the outermost alone says little.
pub fn with_causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}

/// Talks to the server with one token. Cheap to clone.
#[derive(Clone)]
pub struct Client {
    http: reqwest::blocking::Client,
    base: String,
    token: String,
}

impl std::str::FromStr for Address {
    type Err = ClientError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if let Some(path) = text.strip_prefix("unix:") {
            Ok(Address::Unix(path.into()))
        } else if text.starts_with("http://") {
            Ok(Address::Http(text.trim_end_matches('/').to_owned()))
        } else {
            Err(ClientError::Address(text.to_owned()))
        }
    }
}

impl Client {
    /// A client; nothing is sent yet. Calls time out after two minutes, longer than any long poll.
    pub fn new(address: &Address, token: &str) -> Result<Self, ClientError> {
        let builder = reqwest::blocking::Client::builder().timeout(Duration::from_secs(120)).no_proxy();
        let (builder, base) = match address {
            Address::Unix(path) => (builder.unix_socket(path.clone()), "http://aar".to_owned()),
            Address::Http(base) => (builder, base.clone()),
        };
        let http = builder.build().map_err(|source| ClientError::Transport { path: "client".into(), source })?;
        Ok(Self { http, base, token: token.to_owned() })
    }

    /// GET `path` (query included).
    pub fn get<A: DeserializeOwned>(&self, path: &str) -> Result<A, ClientError> {
        self.call(Method::GET, path, None::<&()>)
    }

    /// POST `body` to `path`.
    pub fn post<B: Serialize, A: DeserializeOwned>(&self, path: &str, body: &B) -> Result<A, ClientError> {
        self.call(Method::POST, path, Some(body))
    }

    fn call<B: Serialize, A: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        body: Option<&B>,
    ) -> Result<A, ClientError> {
        let transport = |source| ClientError::Transport { path: path.to_owned(), source };
        let mut request = self.http.request(method, format!("{}{path}", self.base)).bearer_auth(&self.token);
        if let Some(body) = body {
            request = request.json(body);
        }
        let answer = request.send().map_err(transport)?;
        let status = answer.status();
        let bytes = answer.bytes().map_err(transport)?;
        if status.is_success() {
            return serde_json::from_slice(&bytes)
                .map_err(|error| ClientError::Answer { path: path.to_owned(), detail: error.to_string() });
        }
        Err(ClientError::Refused(serde_json::from_slice(&bytes).unwrap_or_else(|_| ErrorBody {
            code: ErrorCode::Internal,
            message: format!("the server answered {status} to {path}"),
            hint: None,
        })))
    }
}
