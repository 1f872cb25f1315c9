//! Browsers of people, and the mails they get.

use super::common::{ORG, Reply, Server};
use axum::body::Body;
use scrip_server::command::Command;
use scrip_server::config::Config;
use std::collections::BTreeMap;
use std::path::Path;

pub const PASSWORD: &str = "correct horse battery";
const AGENT: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0";
const SESSION: &str = "__Host-scrip";
const HALF: &str = "__Host-scrip-half";

/// Somebody in the org of every test.
pub async fn person(server: &Server, email: &str, role: &str) {
    member_of(server, email, ORG, role).await;
}

/// Somebody new in an org.
pub async fn member_of(server: &Server, email: &str, org: &str, role: &str) {
    let (email, password) = (email.to_owned(), PASSWORD.to_owned());
    let (org, role) = (org.to_owned(), role.to_owned());
    server.run(Command::CreateUser { email, password, org, role, operator: false }).await;
}

/// A server whose mails are files.
pub async fn server_with_mail() -> (Server, tempfile::TempDir) {
    let folder = tempfile::tempdir().expect("a folder");
    let config = Config { mail_dir: Some(folder.path().to_owned()), ..Config::default() };
    (Server::with(config).await, folder)
}

/// The mails in a folder, once there are `count`. They are written beside the answer to whoever asked.
pub async fn mails(folder: &Path, count: usize) -> Vec<String> {
    let come = async {
        loop {
            let files: Vec<_> = std::fs::read_dir(folder).expect("a folder").flatten().collect();
            let texts: Vec<String> =
                files.iter().filter_map(|file| std::fs::read_to_string(file.path()).ok()).collect();
            // A file that is there may not be written yet.
            if texts.iter().filter(|text| text.ends_with('\n')).count() >= count {
                return texts.iter().map(|text| decoded(text)).collect();
            }
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(20), come).await.expect("the mails come")
}

/// Soft line breaks and escapes of quoted-printable, as far as our mails have them.
fn decoded(mail: &str) -> String {
    mail.replace("=\r\n", "").replace("=3D", "=")
}

/// The token of a link in a mail or a page.
pub fn token_in(text: &str, before: &str) -> String {
    let start = text.find(before).unwrap_or_else(|| panic!("no {before} in {text}")) + before.len();
    text[start..].chars().take_while(char::is_ascii_alphanumeric).collect()
}

/// A browser: it keeps cookies.
pub struct Browser<'s> {
    server: &'s Server,
    cookies: BTreeMap<String, String>,
}

impl<'s> Browser<'s> {
    pub const fn new(server: &'s Server) -> Self {
        Self { server, cookies: BTreeMap::new() }
    }

    pub async fn signed_in(server: &'s Server, email: &str, password: &str) -> Self {
        let mut browser = Self::new(server);
        assert_eq!(browser.sign_in(email, password).await, "/");
        browser
    }

    /// Where it leads.
    pub async fn sign_in(&mut self, email: &str, password: &str) -> String {
        self.post("/sign-in", &[("email", email), ("password", password)]).await.header("location").to_owned()
    }

    /// Where the second step leads.
    pub async fn code(&mut self, code: &str) -> String {
        self.post("/sign-in/code", &[("code", code)]).await.header("location").to_owned()
    }

    pub async fn get(&mut self, path: &str) -> Reply {
        self.send("GET", path, String::new()).await
    }

    pub async fn post(&mut self, path: &str, fields: &[(&str, impl AsRef<str>)]) -> Reply {
        let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (*name, value.as_ref())).collect();
        let form = serde_urlencoded::to_string(fields).expect("a form");
        self.send("POST", path, form).await
    }

    /// Whether a page opens rather than asking to sign in.
    pub async fn opens(&mut self, path: &str) -> bool {
        match self.get(path).await.status.as_u16() {
            200 => true,
            303 => false,
            other => panic!("{path}: {other}"),
        }
    }

    pub fn session(&self) -> Option<String> {
        self.cookies.get(SESSION).cloned()
    }

    pub fn half(&self) -> Option<String> {
        self.cookies.get(HALF).cloned()
    }

    /// A cookie of any other name.
    pub fn cookie(&self, name: &str) -> Option<String> {
        self.cookies.get(name).cloned()
    }

    pub fn set_cookie(&mut self, name: &str, value: &str) {
        self.cookies.insert(name.to_owned(), value.to_owned());
    }

    pub fn set_session(&mut self, token: &str) {
        self.cookies.insert(SESSION.to_owned(), token.to_owned());
    }

    pub fn set_half(&mut self, token: &str) {
        self.cookies.insert(HALF.to_owned(), token.to_owned());
    }

    pub async fn send(&mut self, method: &str, path: &str, body: String) -> Reply {
        let cookies: Vec<String> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let cookies = cookies.join("; ");
        let mut headers = vec![("cookie", cookies.as_str()), ("user-agent", AGENT)];
        if method == "POST" {
            headers.push(("content-type", "application/x-www-form-urlencoded"));
        }
        let reply = self.server.send(method, path, &headers, Body::from(body)).await;
        for set in reply.headers.get_all("set-cookie") {
            let pair = set.to_str().expect("ASCII").split(';').next().expect("a cookie");
            let (name, value) = pair.split_once('=').expect("a value");
            if value.is_empty() {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
        reply
    }
}
