//! A model behind an HTTP address, usually the gateway's unix socket: `POST` in one of the wire formats, the researcher's token as
//! bearer, the answer as a stream.

use crate::model::{Model, ModelError};
use aar_api::client::{Address, with_causes};
use aar_llm::conversation::{Reply, Request};
use aar_llm::stream::{Delta, Stream};
use aar_llm::trace::{self, Place};
use aar_llm::wire::Wire;
use reqwest::blocking::{Client, Response};
use serde_json::Value;
use std::io::Read;
use std::time::{Duration, Instant};

/// An answer may pause for so long, and its beginning take so long.
const SILENCE: Duration = Duration::from_secs(300);
/// No answer takes longer in all.
const WHOLE: Duration = Duration::from_secs(900);
/// What an error says is cut here.
const MESSAGE_CHARS: usize = 500;

/// A model behind an address.
pub struct HttpModel {
    http: Client,
    base: String,
    wire: Wire,
    token: String,
    whole: Duration,
    /// The researcher's span and the session's, where somebody traces them.
    trace: Option<(Place, Place)>,
}

impl HttpModel {
    /// `address` ends before `/v1`. Nothing is sent yet.
    pub fn new(address: &Address, wire: Wire, token: &str) -> Result<Self, ModelError> {
        Self::within(address, wire, token, SILENCE, WHOLE)
    }

    /// With other limits: how long an answer may pause, how long it may take in all.
    pub fn within(
        address: &Address,
        wire: Wire,
        token: &str,
        silence: Duration,
        whole: Duration,
    ) -> Result<Self, ModelError> {
        // In the blocking client the limit holds for the wait for the answer's head and for each read of its body.
        let builder = Client::builder().timeout(silence).no_proxy();
        let (builder, base) = match address {
            Address::Unix(path) => (builder.unix_socket(path.clone()), "http://aar".to_owned()),
            Address::Http(base) => (builder, base.clone()),
        };
        let http = builder.build().map_err(|error| ModelError::Cut(with_causes(&error)))?;
        Ok(Self { http, base, wire, token: token.to_owned(), whole, trace: None })
    }

    /// Say with every call to which session of this researcher it belongs.
    pub fn traced(self, researcher: Option<Place>) -> Self {
        Self { trace: researcher.map(|place| (place, place)), ..self }
    }
}

impl Model for HttpModel {
    fn begin(&mut self, session: u32) {
        self.trace = self.trace.map(|(researcher, _)| (researcher, researcher.session(session)));
    }

    fn answer(&mut self, request: &Request, on_text: &mut dyn FnMut(&str)) -> Result<Reply, ModelError> {
        let began = Instant::now();
        let body = self.wire.format().request(request);
        let post = self.http.post(format!("{}{}", self.base, self.wire.path())).bearer_auth(&self.token);
        // Messages asks for the version; the others do not mind.
        let post = post.header("anthropic-version", "2023-06-01").json(&body);
        let post = match self.trace {
            Some((_, session)) => post.header(trace::HEADER, session.to_string()),
            None => post,
        };
        let response = post.send().map_err(|error| ModelError::Cut(with_causes(&error)))?;
        if !response.status().is_success() {
            return Err(refusal(response));
        }
        let kind = response.headers().get("content-type").and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        if kind.starts_with("text/event-stream") {
            self.streamed(response, began, on_text)
        } else {
            self.at_once(response)
        }
    }
}

impl HttpModel {
    fn streamed(
        &self,
        mut response: Response,
        began: Instant,
        on_text: &mut dyn FnMut(&str),
    ) -> Result<Reply, ModelError> {
        let mut stream = Stream::new(self.wire);
        let mut buffer = [0; 16 << 10];
        loop {
            let count = response.read(&mut buffer).map_err(|error| ModelError::Cut(with_causes(&error)))?;
            if count == 0 {
                break;
            }
            for Delta::Text(text) | Delta::Reasoning(text) | Delta::Arguments(text) in stream.push(&buffer[..count]) {
                on_text(&text);
            }
            if began.elapsed() > self.whole {
                return Err(ModelError::Cut(format!("it took longer than {} s", self.whole.as_secs())));
            }
        }
        stream.finish().map_err(|cut| ModelError::Cut(cut.to_string()))
    }

    /// An endpoint that does not stream.
    fn at_once(&self, response: Response) -> Result<Reply, ModelError> {
        let bytes = response.bytes().map_err(|error| ModelError::Cut(with_causes(&error)))?;
        let body: Value = serde_json::from_slice(&bytes).map_err(|error| ModelError::Malformed(error.to_string()))?;
        self.wire.format().read_reply(&body).map_err(|error| ModelError::Malformed(error.to_string()))
    }
}

/// What a status outside 2xx means.
fn refusal(response: Response) -> ModelError {
    let status = response.status().as_u16();
    let header = response.headers().get("retry-after").and_then(|value| value.to_str().ok());
    let retry_after = header.and_then(|text| text.trim().parse::<f64>().ok());
    let retry_after = retry_after.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    classify(status, &response.text().unwrap_or_default(), retry_after)
}

fn classify(status: u16, body: &str, retry_after: Option<Duration>) -> ModelError {
    let parsed: Value = serde_json::from_str(body).unwrap_or_default();
    let error = parsed.get("error").unwrap_or(&parsed);
    let message = error.get("message").or(parsed.get("message")).and_then(Value::as_str).unwrap_or(body);
    let message = crate::fence::one_line(message, MESSAGE_CHARS);
    let said = format!("{} {} {message}", error["code"], error["type"]).to_lowercase();
    let says = |words: &[&str]| words.iter().any(|word| said.contains(word));
    match status {
        402 => ModelError::BudgetSpent(message),
        // A provider that is asked without the gateway says so in its own way.
        400..=429 if says(&["insufficient_quota", "budget_exhausted", "credit balance is too low"]) => {
            ModelError::BudgetSpent(message)
        }
        401 | 403 => ModelError::Forbidden(message),
        400 | 413
            if says(&[
                "too long",
                "context length",
                "context_length",
                "context window",
                "too many tokens",
                "too large",
            ]) =>
        {
            ModelError::TooLong(message)
        }
        503 if error["type"] == "paused" => ModelError::Paused(message),
        429 if error["type"] == "spending_too_fast" => ModelError::TooFast { message, retry_after },
        408 | 425 | 429 | 500.. => ModelError::Busy { status, message, retry_after },
        _ => ModelError::Refused { status, message },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statuses_are_told_apart() {
        let check = |status, body: &str, expect: &str| {
            let error = classify(status, body, None);
            assert!(format!("{error:?}").starts_with(expect), "{status} {body}: {error:?}");
        };
        check(402, r#"{"code":"budget-spent","message":"spent"}"#, "BudgetSpent(\"spent\")");
        check(429, r#"{"error":{"message":"You exceeded your quota","code":"insufficient_quota"}}"#, "BudgetSpent");
        check(429, r#"{"type":"error","error":{"type":"rate_limit_error","message":"slow"}}"#, "Busy { status: 429");
        check(529, "overloaded", "Busy { status: 529, message: \"overloaded\"");
        check(401, "{}", "Forbidden");
        check(
            400,
            r#"{"error":{"type":"invalid_request_error","message":"prompt is too long: 210000 tokens"}}"#,
            "TooLong",
        );
        check(400, r#"{"error":{"code":"context_length_exceeded","message":"x"}}"#, "TooLong");
        check(400, r#"{"error":{"message":"bad tool schema"}}"#, "Refused { status: 400, message: \"bad tool schema\"");
        check(503, r#"{"error":{"type":"paused","message":"wait"}}"#, "Paused(\"wait\")");
        check(429, r#"{"error":{"type":"spending_too_fast","message":"slow"}}"#, "TooFast { message: \"slow\"");
        check(503, "{}", "Busy");
        check(404, "<html>", "Refused");
        check(502, "", "Busy");
    }
}
