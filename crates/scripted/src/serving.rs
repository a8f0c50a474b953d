//! A router on a free loopback port, with a thread of its own.

use axum::Router;
use std::net::SocketAddr;
use tokio::runtime::{Builder, Runtime};

/// A server that runs. Ended when dropped, also within another runtime.
pub struct Serving {
    /// Where it listens.
    pub address: SocketAddr,
    runtime: Option<Runtime>,
}

impl Serving {
    /// Listen.
    pub fn start(app: Router) -> std::io::Result<Self> {
        let runtime = Builder::new_multi_thread().worker_threads(1).thread_name("scripted").enable_all().build()?;
        let listener = std::net::TcpListener::bind(("127.0.0.1", 0))?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let _guard = runtime.enter();
        let listener = tokio::net::TcpListener::from_std(listener)?;
        runtime.spawn(async move { axum::serve(listener, app).await });
        drop(_guard);
        Ok(Self { address, runtime: Some(runtime) })
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}
