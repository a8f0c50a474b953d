//! An endpoint over HTTP or HTTPS.

use super::{Answer, Asked, Body, Outgoing, Provider, Unanswered};
use crate::error::GatewayError;
use crate::secret::Key;
use crate::settings::HttpSettings;
use aar_llm::wire::Wire;
use axum::body::Bytes;
use axum::http::{HeaderMap, Request, header};
use http_body_util::{BodyExt, Full};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use std::time::Duration;

enum Connection {
    Plain(Client<HttpConnector, Full<Bytes>>),
    Secure(Client<HttpsConnector<HttpConnector>, Full<Bytes>>),
}

/// An endpoint.
pub struct Http {
    connection: Connection,
    /// Without `/v1/…`.
    root: String,
    key: Option<Key>,
    wires: Vec<Wire>,
    answer_timeout: Duration,
    idle_timeout: Duration,
    tell_caller: bool,
}

impl Http {
    /// An endpoint as settings say, with its key.
    pub fn new(name: &str, settings: &HttpSettings, key: Option<Key>) -> Result<Self, GatewayError> {
        let field = |field: &str| format!("providers.{name}.{field}");
        let seconds = |key: &str, value: f64| {
            Duration::try_from_secs_f64(value).map_err(|error| GatewayError::settings(field(key), error.to_string()))
        };
        let root = settings.base_url.trim_end_matches('/').trim_end_matches("/v1").to_owned();
        let mut plain = HttpConnector::new();
        plain.set_connect_timeout(Some(seconds("connect_timeout_s", settings.connect_timeout_s)?));
        plain.set_nodelay(true);
        let builder = Client::builder(TokioExecutor::new());
        let connection = if root.starts_with("https://") {
            plain.enforce_http(false);
            let secure = HttpsConnectorBuilder::new()
                .with_provider_and_native_roots(rustls::crypto::ring::default_provider())
                .map_err(GatewayError::Certificates)?;
            Connection::Secure(builder.build(secure.https_only().enable_http1().wrap_connector(plain)))
        } else if root.starts_with("http://") {
            Connection::Plain(builder.build(plain))
        } else {
            return Err(GatewayError::settings(field("base_url"), "it begins with https:// or http://"));
        };
        Ok(Self {
            connection,
            root,
            key,
            wires: settings.wires.clone(),
            answer_timeout: seconds("answer_timeout_s", settings.answer_timeout_s)?,
            idle_timeout: seconds("idle_timeout_s", settings.idle_timeout_s)?,
            tell_caller: settings.tell_caller,
        })
    }

    fn request(&self, outgoing: &Outgoing) -> Result<Request<Full<Bytes>>, Unanswered> {
        let mut request = Request::post(format!("{}{}", self.root, outgoing.wire.path()))
            .header(header::CONTENT_TYPE, "application/json")
            .header(header::ACCEPT, "application/json, text/event-stream")
            .header(header::USER_AGENT, concat!("aar/", env!("CARGO_PKG_VERSION")));
        for (name, value) in &outgoing.headers {
            request = request.header(*name, value);
        }
        if let Some(key) = &self.key {
            request = match outgoing.wire {
                Wire::Messages => request.header("x-api-key", key.expose()),
                _ => request.header(header::AUTHORIZATION, format!("Bearer {}", key.expose())),
            };
        }
        if self.tell_caller {
            request = request.header("x-aar-caller", &outgoing.caller);
        }
        // What is wrong with the address or the key is not said: it might show the key.
        let body = Full::new(outgoing.body.clone());
        request
            .body(body)
            .map_err(|_| Unanswered::Unreachable("the address or the key can't stand in a request".into()))
    }
}

impl Provider for Http {
    fn wires(&self) -> &[Wire] {
        &self.wires
    }

    fn ask<'a>(&'a self, outgoing: &'a Outgoing) -> Asked<'a> {
        Box::pin(async move {
            let request = self.request(outgoing)?;
            let answer = match &self.connection {
                Connection::Plain(client) => client.request(request),
                Connection::Secure(client) => client.request(request),
            };
            let answer = match tokio::time::timeout(self.answer_timeout, answer).await {
                Err(_) => return Err(Unanswered::TimedOut),
                Ok(Err(error)) if error.is_connect() => return Err(Unanswered::Unreachable(chain(&error))),
                Ok(Err(error)) => return Err(Unanswered::Broken(chain(&error))),
                Ok(Ok(answer)) => answer,
            };
            let headers = answer.headers();
            let content_type = text(headers, "content-type").unwrap_or("application/json").to_owned();
            Ok(Answer {
                status: answer.status().as_u16(),
                content_type,
                retry_after: retry_after(headers),
                body: pieces(answer.into_body(), self.idle_timeout),
            })
        })
    }
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

/// In seconds; a date is as good as nothing.
fn retry_after(headers: &HeaderMap) -> Option<f64> {
    let number = |name: &str| text(headers, name)?.trim().parse::<f64>().ok();
    let seconds = number("retry-after-ms").map(|ms| ms / 1000.0).or_else(|| number("retry-after"))?;
    (seconds.is_finite() && seconds >= 0.0).then_some(seconds)
}

/// An error with its causes: the outermost alone says nothing.
fn chain(error: &dyn std::error::Error) -> String {
    let mut words = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        words = format!("{words}: {cause}");
        source = cause.source();
    }
    words
}

fn pieces(body: hyper::body::Incoming, idle: Duration) -> Body {
    Box::pin(futures_util::stream::unfold(Some(body), move |body| async move {
        let mut body = body?;
        loop {
            let frame = match tokio::time::timeout(idle, body.frame()).await {
                Err(_) => return Some((Err("nothing came any more".into()), None)),
                Ok(None) => return None,
                Ok(Some(Err(error))) => return Some((Err(chain(&error)), None)),
                Ok(Some(Ok(frame))) => frame,
            };
            // Trailers say nothing here.
            if let Ok(data) = frame.into_data() {
                return Some((Ok(data), Some(body)));
            }
        }
    }))
}
