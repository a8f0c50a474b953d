//! The OpenAPI description of all routes, made from the handlers.

use crate::routes::{bundles, evaluations, forum, integrity, operator, predictions, study, work};
use utoipa::OpenApi;
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityScheme};

#[derive(OpenApi)]
#[openapi(
    info(title = "aar", description = "What researchers, workers and the server say to each other."),
    security(("token" = [])),
    paths(
        study::study, study::me, study::turn, study::retire,
        bundles::store, bundles::fetch,
        evaluations::submit, evaluations::own, evaluations::one, evaluations::leaderboard,
        predictions::submit, predictions::items,
        operator::messages, operator::members, operator::join, operator::instruct,
        integrity::integrity, integrity::rule, integrity::signal,
        forum::list, forum::post, forum::comments, forum::comment, forum::vote,
        work::claim, work::heartbeat, work::outputs, work::touched, work::failure,
    )
)]
struct Document;

/// The description.
pub fn document() -> utoipa::openapi::OpenApi {
    let mut document = Document::openapi();
    let token = SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer));
    document.components.get_or_insert_default().add_security_scheme("token", token);
    document
}
