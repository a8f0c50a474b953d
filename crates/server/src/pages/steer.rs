//! What an operator does to researchers from the page: the same instructions as over the API, checked by the same rules.

use super::layout::{Frame, page as framed};
use super::{Pages, Visitor};
use crate::event::Phase;
use crate::routes::operator::record;
use crate::state::State;
use aar_api::operator::{Instruct, Instruction};
use axum::extract::State as Part;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use axum::{Extension, Form};
use maud::{Markup, html};
use serde::Deserialize;

/// The form.
#[derive(Deserialize)]
pub struct Wanted {
    researcher: String,
    r#do: String,
    #[serde(default)]
    text: String,
}

impl Wanted {
    fn instruct(self) -> Option<Instruct> {
        let instruction = match self.r#do.as_str() {
            "pause" => Instruction::Pause,
            "resume" => Instruction::Resume,
            "stop" => Instruction::Stop,
            "say" => Instruction::Say { text: self.text },
            _ => return None,
        };
        Some(Instruct { researcher: Some(self.researcher), instruction })
    }
}

/// Record an instruction; the page then shows what came of it.
pub async fn instruct(
    Part(pages): Part<Pages>,
    Extension(visitor): Extension<Visitor>,
    Form(wanted): Form<Wanted>,
) -> Response {
    let done = match wanted.instruct() {
        Some(asked) => {
            let mut inner = pages.shared.inner.lock().await;
            record(&pages.shared, &mut inner, asked).await.map_err(|refusal| refusal.0.message)
        }
        None => Err("There is no such instruction.".into()),
    };
    match done {
        Ok(()) => Redirect::to("/researchers").into_response(),
        Err(why) => {
            let body = html! { p.empty { (why) " " a href="/researchers" { "Back to the researchers" } } };
            let frame = Frame::of(&pages, visitor, "Researchers", "/researchers").await;
            (StatusCode::CONFLICT, framed(&frame, &body)).into_response()
        }
    }
}

/// Whether there is anything to be done.
pub fn possible(state: &State, visitor: Visitor) -> bool {
    visitor == Visitor::Operator && state.phase < Phase::Closing
}

/// Buttons for one researcher.
pub fn buttons(state: &State, name: &str) -> Markup {
    let button =
        |word: &str, text: &str| html! { button name="do" value=(word) aria-label={ (text) " " (name) } { (text) } };
    html! {
        @if !state.retired.contains(name) {
            form.steer method="post" action="/researchers" {
                input type="hidden" name="researcher" value=(name);
                @if state.paused.contains(name) { (button("resume", "Go on")) } @else { (button("pause", "Pause")) }
                details { summary { "Stop" } p.note { "What it submitted counts; it does not begin again." } (button("stop", "Stop for good")) }
                details { summary { "Message" }
                    label { "to " (name) textarea name="text" rows="3" maxlength="4000" {} }
                    (button("say", "Send"))
                }
            }
        }
    }
}
