//! A request's body is read whole before anything is answered: who is refused while it still sends loses the connection, often before it
//! has read why.

use super::ApiError;
use aar_api::error::ErrorCode;
use axum::body::{Body, Bytes};
use axum::extract::Request;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use futures_util::StreamExt;

/// Bodies are at most this long: a bundle of 8 MiB in hexadecimal, with room for its paths.
const MAX_BODY: usize = 20 << 20;
/// Of a longer one so much is read and dropped, so that its sender hears that it is too long.
const MAX_DROPPED: usize = 100 << 20;

/// Take in the body, then go on.
pub async fn read(request: Request, next: Next) -> Response {
    let (parts, body) = request.into_parts();
    match taken_in(body).await {
        Ok(body) => next.run(Request::from_parts(parts, Body::from(body))).await,
        Err(refusal) => refusal.into_response(),
    }
}

async fn taken_in(body: Body) -> Result<Bytes, ApiError> {
    let mut pieces = body.into_data_stream();
    let (mut whole, mut length) = (Vec::new(), 0);
    while let Some(piece) = pieces.next().await {
        let piece = piece.map_err(|_| ApiError::bad("the body ended early"))?;
        length += piece.len();
        if length <= MAX_BODY {
            whole.extend_from_slice(&piece);
        } else if length <= MAX_DROPPED {
            whole = Vec::new();
        } else {
            break;
        }
    }
    if length > MAX_BODY {
        return Err(ApiError::new(ErrorCode::TooLarge, format!("the body is longer than {} MiB", MAX_BODY >> 20)));
    }
    Ok(whole.into())
}
