//! MCP as streamable HTTP at `/mcp`, on a unix socket or on loopback, for whoever brings the researcher's token.

use super::{McpError, Server};
use crate::tools::Platform;
use axum::Router;
use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use rmcp::transport::streamable_http_server::session::local::LocalSessionManager;
use rmcp::transport::streamable_http_server::{StreamableHttpServerConfig, StreamableHttpService};
use std::sync::Arc;

/// Where to listen: already bound, so that the caller knows the port and names what is wrong with an address.
#[derive(Debug)]
pub enum Listener {
    /// Loopback.
    Tcp(std::net::TcpListener),
    /// A socket file.
    Unix(std::os::unix::net::UnixListener),
}

/// Serve any number of clients until the process ends.
pub fn serve_http(platform: Platform, listener: Listener) -> Result<(), McpError> {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().map_err(McpError::Start)?;
    let app = router(Arc::new(platform));
    runtime
        .block_on(async {
            match listener {
                Listener::Tcp(listener) => {
                    listener.set_nonblocking(true)?;
                    axum::serve(tokio::net::TcpListener::from_std(listener)?, app).await
                }
                Listener::Unix(listener) => {
                    listener.set_nonblocking(true)?;
                    axum::serve(tokio::net::UnixListener::from_std(listener)?, app).await
                }
            }
        })
        .map_err(|error: std::io::Error| McpError::Serve(error.to_string()))
}

fn router(platform: Arc<Platform>) -> Router {
    let server = Server { platform: platform.clone() };
    // Only loopback host names are answered (the default), and no browser's page: nobody else's may speak for the researcher.
    // A tool answers once and remembers nothing, so that there are no sessions and no streams to keep.
    let config = StreamableHttpServerConfig::default()
        .enforce_origin_validation()
        .with_legacy_session_mode(false)
        .with_json_response(true);
    let service =
        StreamableHttpService::new(move || Ok(server.clone()), Arc::new(LocalSessionManager::default()), config);
    Router::new().nest_service("/mcp", service).layer(from_fn_with_state(platform, only_with_token))
}

/// A loopback port is open to every user of the machine.
async fn only_with_token(State(platform): State<Arc<Platform>>, request: Request, next: Next) -> Response {
    let header = request.headers().get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    match header.and_then(|value| value.strip_prefix("Bearer ")) {
        Some(token) if platform.is_token(token) => next.run(request).await,
        _ => (StatusCode::UNAUTHORIZED, "send the researcher's token as `Authorization: Bearer …`\n").into_response(),
    }
}
