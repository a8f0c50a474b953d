//! A gateway: opened, listening on its two sockets, ended.

use crate::error::GatewayError;
use crate::secret::Lookup;
use crate::settings::GatewaySettings;
use crate::shared::Shared;
use crate::{operator, routes};
use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::UnixListener;

/// A gateway whose sockets can be reached.
pub struct Gateway {
    shared: Arc<Shared>,
    callers: UnixListener,
    operator: UnixListener,
    grace: Duration,
}

/// Open a gateway and serve until `shutdown`. `key` looks up an environment variable that settings name.
pub async fn run(
    settings: &GatewaySettings,
    key: &Lookup,
    shutdown: impl Future<Output = ()>,
) -> Result<(), GatewayError> {
    Gateway::open(settings, key).await?.serve(shutdown).await
}

impl Gateway {
    /// Check settings, open ledger and transcripts, charge what a crash left open, listen.
    pub async fn open(settings: &GatewaySettings, key: &Lookup) -> Result<Self, GatewayError> {
        let shared = Arc::new(Shared::open(settings, key).await?);
        // Whoever is in a sandbox runs under another user; what it may do is decided by its token.
        let callers = listen(&settings.socket, 0o666)?;
        let operator = listen(&settings.control, 0o600)?;
        Ok(Self { shared, callers, operator, grace: Duration::from_secs(settings.grace_s) })
    }

    /// Serve until `shutdown`; running calls get a while to end. What does not is charged its worst case at the next start.
    pub async fn serve(self, shutdown: impl Future<Output = ()>) -> Result<(), GatewayError> {
        let Self { shared, callers, operator, grace } = self;
        let reachable = tokio::spawn({
            let app = routes::router(shared.clone());
            async move { axum::serve(callers, app).await }
        });
        let controlled = tokio::spawn({
            let app = operator::router(shared.clone());
            async move { axum::serve(operator, app).await }
        });
        shutdown.await;
        // No connection is taken any more; calls that run are tasks of their own.
        reachable.abort();
        controlled.abort();
        let _ = tokio::time::timeout(grace, shared.ledger.idle()).await;
        Ok(())
    }
}

fn listen(path: &Path, mode: u32) -> Result<UnixListener, GatewayError> {
    let wrong = |source| GatewayError::Listen { address: path.display().to_string(), source };
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(wrong(error)),
        _ => {}
    }
    let listener = UnixListener::bind(path).map_err(wrong)?;
    std::fs::set_permissions(path, Permissions::from_mode(mode)).map_err(wrong)?;
    Ok(listener)
}
