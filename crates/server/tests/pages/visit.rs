//! A browser without a screen.
#![allow(dead_code)]

use aar_server::Server;
use aar_server::pages::Visitor;
use reqwest::blocking::{Client, Response};
use reqwest::redirect::Policy;
use std::net::SocketAddr;

pub struct Browser {
    pub address: SocketAddr,
    pub client: Client,
    pub cookie: Option<String>,
}

impl Browser {
    pub fn of(server: &Server, visitor: Option<Visitor>) -> Self {
        let address = server.http().unwrap();
        let client = Client::builder().redirect(Policy::none()).build().unwrap();
        let mut browser = Self { address, client, cookie: None };
        if let Some(visitor) = visitor {
            let link = server.invite(visitor).unwrap();
            let answer = browser.get(&format!("/?t={link}"));
            assert_eq!(answer.status(), 303);
            let set = answer.headers()["set-cookie"].to_str().unwrap().to_owned();
            assert!(set.contains("HttpOnly") && set.contains("SameSite=Strict"), "{set}");
            browser.cookie = set.split(';').next().map(str::to_owned);
        }
        browser
    }

    pub fn get(&self, path: &str) -> Response {
        let request = self.client.get(format!("http://{}{path}", self.address));
        match &self.cookie {
            Some(cookie) => request.header("cookie", cookie).send().unwrap(),
            None => request.send().unwrap(),
        }
    }

    pub fn text(&self, path: &str) -> String {
        let answer = self.get(path);
        assert_eq!(answer.status(), 200, "{path}");
        answer.text().unwrap()
    }

    /// Send a form. Returns the status.
    pub fn send(&self, path: &str, origin: &str, fields: &[(&str, &str)]) -> u16 {
        let fields: Vec<String> = fields.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let request = self.client.post(format!("http://{}{path}", self.address)).body(fields.join("&"));
        let request = request.header("origin", origin).header("content-type", "application/x-www-form-urlencoded");
        request.header("cookie", self.cookie.as_deref().unwrap_or("")).send().unwrap().status().as_u16()
    }

    pub fn post(&self, origin: &str) -> u16 {
        let request = self.client.post(format!("http://{}/links?role=viewer", self.address)).header("origin", origin);
        request.header("cookie", self.cookie.as_deref().unwrap_or("")).send().unwrap().status().as_u16()
    }
}
