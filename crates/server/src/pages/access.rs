//! Who may look: a link that works once becomes a session in a cookie that scripts can't read and other sites can't send.

use super::Pages;
use super::layout::{self, Frame};
use crate::shared::sha256;
use axum::Extension;
use axum::extract::{Query, Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{Html, IntoResponse, Redirect, Response};
use maud::html;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::sync::Mutex;

/// What somebody at the pages may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Visitor {
    /// Look, and let others look.
    Operator,
    /// Look.
    Viewer,
}

impl Visitor {
    /// As it is written.
    pub fn name(self) -> &'static str {
        match self {
            Visitor::Operator => "operator",
            Visitor::Viewer => "viewer",
        }
    }
}

/// Links not yet used and sessions, by the SHA-256 of their secrets.
#[derive(Default)]
pub struct Doors {
    links: Mutex<BTreeMap<String, Visitor>>,
    sessions: Mutex<BTreeMap<String, Visitor>>,
}

impl Doors {
    /// A new link's secret; `None` where the operating system gives no random numbers.
    pub fn invite(&self, visitor: Visitor) -> Option<String> {
        let secret = secret()?;
        self.links.lock().ok()?.insert(sha256(&secret), visitor);
        Some(secret)
    }

    /// Spend a link. Returns the session's secret.
    fn enter(&self, link: &str) -> Option<String> {
        let visitor = self.links.lock().ok()?.remove(&sha256(link))?;
        let secret = secret()?;
        self.sessions.lock().ok()?.insert(sha256(&secret), visitor);
        Some(secret)
    }

    fn visitor(&self, session: &str) -> Option<Visitor> {
        self.sessions.lock().ok()?.get(&sha256(session)).copied()
    }
}

fn secret() -> Option<String> {
    let mut bytes = [0; 24];
    getrandom::fill(&mut bytes).ok()?;
    Some(hex::encode(bytes))
}

#[derive(Deserialize)]
pub struct Link {
    t: Option<String>,
}

/// Let in who has a session or a link, and say what to do to everybody else.
pub async fn guard(State(pages): State<Pages>, Query(link): Query<Link>, mut request: Request, next: Next) -> Response {
    let Some(host) = loopback_host(request.headers()) else {
        return refusal(StatusCode::MISDIRECTED_REQUEST, "These pages are served to this machine alone.");
    };
    let cookie = cookie_name(&host);
    let session = session(request.headers(), &cookie).and_then(|secret| pages.doors.visitor(&secret));
    if let Some(link) = link.t {
        // With a session the link is not spent: a reload of the address bar must not lock anybody out.
        return match (session, pages.doors.enter(&link)) {
            (_, Some(secret)) => {
                let value = format!("{cookie}={secret}; HttpOnly; SameSite=Strict; Path=/");
                ([(header::SET_COOKIE, value)], Redirect::to("/")).into_response()
            }
            (Some(_), None) => Redirect::to("/").into_response(),
            (None, None) => refusal(StatusCode::UNAUTHORIZED, "This link was used before, or is not of this run."),
        };
    }
    let Some(visitor) = session else {
        return refusal(StatusCode::UNAUTHORIZED, "These pages open by the link that was printed at the start.");
    };
    if request.method() != Method::GET {
        let origin = request.headers().get(header::ORIGIN).and_then(|origin| origin.to_str().ok());
        if origin != Some(format!("http://{host}").as_str()) {
            return refusal(StatusCode::FORBIDDEN, "This request came from another site.");
        }
        if visitor != Visitor::Operator {
            return refusal(StatusCode::FORBIDDEN, "A viewer may look, not act.");
        }
    }
    request.extensions_mut().insert(visitor);
    next.run(request).await
}

/// A name that resolves elsewhere would let a foreign site speak in ours.
fn loopback_host(headers: &HeaderMap) -> Option<String> {
    let host = headers.get(header::HOST)?.to_str().ok()?;
    let name = host.rsplit_once(':').filter(|(_, port)| port.parse::<u16>().is_ok()).map_or(host, |(name, _)| name);
    ["127.0.0.1", "localhost", "[::1]"].contains(&name).then(|| host.to_owned())
}

/// Cookies know no ports, so that two studies on one machine need two names.
fn cookie_name(host: &str) -> String {
    format!("aar-{}", host.rsplit_once(':').map_or("80", |(_, port)| port))
}

fn session(headers: &HeaderMap, name: &str) -> Option<String> {
    let all = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut pairs = all.flat_map(|value| value.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(key, _)| *key == name).map(|(_, value)| value.to_owned())
}

fn refusal(status: StatusCode, why: &str) -> Response {
    let body = html! {
        h1 { "Not open" }
        p { (why) }
        p { "A new link is printed by " code { "aar run" } " (the same command goes on with the study) and by " code { "aar open DIR" } "; whoever has the pages open as operator can make one under “Access”." }
    };
    (status, layout::bare("not open", &body)).into_response()
}

/// Headers of every answer: nothing but this server's own files, no frames, no kept copies.
pub async fn harden(mut response: Response) -> Response {
    const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; \
        form-action 'self'; base-uri 'none'; frame-ancestors 'none'";
    let headers = response.headers_mut();
    for (name, value) in [
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        // Without any referrer a browser would not say either where a form comes from (`Origin: null`), and be refused.
        (header::REFERRER_POLICY, "same-origin"),
        (header::CACHE_CONTROL, "no-store"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}

/// Who may look, and a way to let somebody else.
pub async fn page(State(pages): State<Pages>, Extension(visitor): Extension<Visitor>) -> Html<String> {
    let body = html! {
        p { "You are here as " strong { (visitor.name()) } ". Pages are served on this machine's loopback alone; from another machine: " code { "ssh -L PORT:127.0.0.1:PORT HOST" } "." }
        @if visitor == Visitor::Operator {
            form method="post" action="/links?role=viewer" {
                button { "Make a link for a viewer" } " "
                button formaction="/links?role=operator" { "Make a link for an operator" }
            }
            p.note { "A link works once and becomes a session of that browser, until this run ends. A viewer sees exact scores too, but no transcript or notebook before the study is over, and can change nothing." }
        } @else {
            p.note { "A viewer may look; links are made by an operator." }
        }
    };
    layout::page(&Frame::of(&pages, visitor, "Access", "/access").await, &body)
}

#[derive(Deserialize)]
pub struct Wanted {
    role: Visitor,
}

/// Make a link.
pub async fn link(
    State(pages): State<Pages>,
    Extension(visitor): Extension<Visitor>,
    headers: HeaderMap,
    Query(wanted): Query<Wanted>,
) -> Html<String> {
    let host = loopback_host(&headers).unwrap_or_default();
    let body = match pages.doors.invite(wanted.role) {
        Some(secret) => html! {
            p { "This link opens the pages once, as " strong { (wanted.role.name()) } ". It is not shown again:" }
            pre { "http://" (host) "/?t=" (secret) }
        },
        None => html! { p { "The operating system gave no random numbers; try again." } },
    };
    layout::page(&Frame::of(&pages, visitor, "Access", "/access").await, &body)
}
