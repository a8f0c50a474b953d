//! A team with a gateway of its own: started, stopped, crashed.

use aar_gateway::gateway::Gateway;
use aar_gateway::ledger::Sums;
use aar_gateway::ledger::book::Charge;
use aar_gateway::price::Price;
use aar_gateway::secret::Key;
use aar_gateway::settings::{
    Caller, GatewaySettings, HttpSettings, Limits, ModelSettings, PriceSettings, ProviderSettings,
};
use aar_gateway::transcript::{Event, Line};
use aar_llm::conversation::{Message, Reply, Request};
use aar_llm::stream::Stream;
use aar_llm::wire::Wire;
use aar_scripted::endpoint::Endpoint;
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::path::PathBuf;
use tokio::sync::oneshot;

/// The key that only the gateway holds.
pub const KEY: &str = "sk-live-0123456789-never-shown";
pub const NAMES: [&str; 3] = ["ada", "bob", "cyd"];
pub const PRICE: Price = Price {
    input: 3.0,
    output: 15.0,
    cache_read: Some(0.3),
    cache_write: Some(3.75),
    long_from: None,
    long_factor: 1.0,
    long_output_factor: 1.0,
};

/// SHA-256 of `token-NAME`.
pub fn token_hash(name: &str) -> String {
    hex::encode(Sha256::digest(format!("token-{name}")))
}

pub struct Team {
    pub folder: tempfile::TempDir,
    pub settings: GatewaySettings,
    running: Option<(tokio::runtime::Runtime, oneshot::Sender<()>, tokio::task::JoinHandle<()>)>,
}

pub fn http(endpoint: &str) -> HttpSettings {
    HttpSettings {
        base_url: endpoint.to_owned(),
        wires: Wire::ALL.to_vec(),
        key_env: Some("THE_KEY".into()),
        concurrent: 8,
        connect_timeout_s: 5.0,
        answer_timeout_s: 30.0,
        idle_timeout_s: 30.0,
        retries: 3,
        backoff_ms: 1,
        longest_wait_s: 2,
        tell_caller: true,
    }
}

impl Team {
    /// Settings for a team before this endpoint, not yet started.
    pub fn new(endpoint: &Endpoint) -> Self {
        Self::with(ProviderSettings::Http(http(&endpoint.url())))
    }

    pub fn with(provider: ProviderSettings) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        let caller = |name: &str| Caller {
            name: name.into(),
            token_hash: token_hash(name),
            limits: Limits::default(),
            rate: None,
            trace: None,
        };
        let model = ModelSettings {
            provider: "scripted".into(),
            pinned: Some("model-1".into()),
            max_tokens: 200,
            price: Some(PriceSettings::Price(PRICE)),
        };
        let settings = GatewaySettings {
            socket: at("llm.sock"),
            control: at("operator.sock"),
            ledger: at("gateway.db"),
            transcripts: at("transcripts"),
            callers: NAMES.into_iter().map(caller).collect(),
            limits: Limits::default(),
            providers: BTreeMap::from([("scripted".into(), provider)]),
            models: BTreeMap::from([("big".into(), model)]),
            aliases: BTreeMap::from([("small".into(), "big".into())]),
            prices: None,
            telemetry: None,
            grace_s: 20,
        };
        Self { folder, settings, running: None }
    }

    pub fn http(&mut self) -> &mut HttpSettings {
        match self.settings.providers.get_mut("scripted") {
            Some(ProviderSettings::Http(http)) => http,
            _ => panic!("an HTTP provider"),
        }
    }

    pub fn start(&mut self) {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let settings = self.settings.clone();
        let (opened, is_open) = std::sync::mpsc::channel();
        let (stop, stopped) = oneshot::channel::<()>();
        let serving = runtime.spawn(async move {
            let key = |name: &str| (name == "THE_KEY").then(|| Key::new(KEY));
            let gateway = Gateway::open(&settings, &key).await.unwrap();
            opened.send(()).unwrap();
            let shutdown = async { drop(stopped.await) };
            gateway.serve(shutdown).await.unwrap();
        });
        is_open.recv().expect("the gateway opens");
        self.running = Some((runtime, stop, serving));
    }

    pub fn started(mut self) -> Self {
        self.start();
        self
    }

    /// Let running calls end.
    pub async fn stop(&mut self) {
        if let Some((runtime, stop, serving)) = self.running.take() {
            drop(stop);
            serving.await.unwrap();
            end(runtime);
        }
    }

    /// Everything ends where it is.
    pub fn crash(&mut self) {
        if let Some((runtime, stop, _)) = self.running.take() {
            end(runtime);
            drop(stop);
        }
    }

    pub fn client(&self, name: &str) -> Client {
        let http = reqwest::Client::builder().unix_socket(self.settings.socket.clone()).build().unwrap();
        Client { http, token: format!("token-{name}") }
    }

    async fn control(&self, path: &str, body: Option<&Value>) -> reqwest::Response {
        let http = reqwest::Client::builder().unix_socket(self.settings.control.clone()).build().unwrap();
        let url = format!("http://gateway{path}");
        let request = body.map_or_else(|| http.get(&url), |body| http.post(&url).json(body));
        request.send().await.unwrap()
    }

    pub async fn order(&self, path: &str, body: Value) -> Result<Sums, (u16, String)> {
        let answer = self.control(path, Some(&body)).await;
        let status = answer.status().as_u16();
        if status == 200 { Ok(answer.json().await.unwrap()) } else { Err((status, answer.text().await.unwrap())) }
    }

    pub async fn totals(&self) -> Sums {
        self.control("/totals", None).await.json().await.unwrap()
    }

    pub fn transcript(&self, name: &str) -> PathBuf {
        self.settings.transcripts.join(format!("{name}.jsonl"))
    }

    pub fn lines(&self, name: &str) -> Vec<Event> {
        let text = std::fs::read_to_string(self.transcript(name)).unwrap();
        text.lines().map(|line| serde_json::from_str::<Line>(line).unwrap().event).collect()
    }

    /// How a caller's last call ended: attempts, whether there was an answer, the charge.
    pub fn last_end(&self, name: &str) -> (u32, bool, Charge) {
        let ended = self.lines(name).into_iter().rev().find_map(|event| match event {
            Event::Ended { attempts, reply, charge, .. } => Some((attempts, reply.is_some(), charge)),
            _ => None,
        });
        ended.unwrap()
    }
}

impl Drop for Team {
    fn drop(&mut self) {
        self.crash();
    }
}

/// A runtime may not be ended within another.
fn end(runtime: tokio::runtime::Runtime) {
    std::thread::spawn(move || runtime.shutdown_timeout(std::time::Duration::from_secs(5))).join().unwrap();
}

#[derive(Clone)]
pub struct Client {
    pub http: reqwest::Client,
    pub token: String,
}

pub fn request(text: &str, stream: bool) -> Request {
    Request {
        model: "big".into(),
        system: "be brief".into(),
        messages: vec![Message::user(text)],
        max_tokens: 1000,
        stream,
        ..Request::default()
    }
}

impl Client {
    pub async fn send(&self, wire: Wire, body: &Value) -> reqwest::Result<reqwest::Response> {
        let url = format!("http://gateway{}", wire.path());
        let request = self.http.post(url).json(body);
        match wire {
            Wire::Messages => request.header("x-api-key", &self.token),
            _ => request.bearer_auth(&self.token),
        }
        .send()
        .await
    }

    /// Status and body of an answer.
    pub async fn post(&self, wire: Wire, request: &Request) -> (u16, Vec<u8>) {
        let response = self.send(wire, &wire.format().request(request)).await.unwrap();
        let status = response.status().as_u16();
        (status, response.bytes().await.map(|bytes| bytes.to_vec()).unwrap_or_default())
    }

    pub async fn reply(&self, wire: Wire, request: &Request) -> Reply {
        let (status, body) = self.post(wire, request).await;
        assert_eq!(status, 200, "{}", String::from_utf8_lossy(&body));
        read(wire, request.stream, &body)
    }
}

pub fn read(wire: Wire, streamed: bool, body: &[u8]) -> Reply {
    if !streamed {
        return wire.format().read_reply(&serde_json::from_slice(body).unwrap()).unwrap();
    }
    let mut stream = Stream::new(wire);
    stream.push(body);
    stream.finish().unwrap()
}

/// The `type` of an error and its message, in whatever format.
pub fn error(body: &[u8]) -> (String, String) {
    let value: Value = serde_json::from_slice(body).unwrap();
    let text = |key: &str| value["error"][key].as_str().unwrap_or_default().to_owned();
    (text("type"), text("message"))
}
