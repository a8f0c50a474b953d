//! News as server-sent events: one number that grows. The page fetches itself again and replaces what differs.

use super::Pages;
use axum::extract::State;
use axum::response::sse::{Event, KeepAlive, Sse};
use futures_util::stream::{Stream, unfold};
use std::convert::Infallible;
use std::time::Duration;

/// Nobody reads faster.
const PAUSE: Duration = Duration::from_millis(700);

/// The stream.
pub async fn stream(State(pages): State<Pages>) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let changes = pages.shared.changes.subscribe();
    let news = unfold((changes, true), async |(mut changes, first)| {
        if !first {
            tokio::time::sleep(PAUSE).await;
            changes.changed().await.ok()?;
        }
        let now = *changes.borrow_and_update();
        Some((Ok(Event::default().data(now.to_string())), (changes, false)))
    });
    Sse::new(news).keep_alive(KeepAlive::default())
}
