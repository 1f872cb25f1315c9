//! `scrip serve`

use super::Failure;
use crate::config::{Config, Flags};
use clap::Args;

/// Run the server: pages, JSON API and command socket
///
/// Stops on Ctrl-C or SIGTERM after the running requests are answered. Whatever was answered is on disk.
#[derive(Args)]
#[command(
    after_help = "Example:\n  scrip serve --data /var/lib/scrip --listen 127.0.0.1:3000 --public-url https://scrip.example.com"
)]
pub struct Serve {
    /// Address and port; port 0 takes a free one [default: 127.0.0.1:3000, or SCRIP_LISTEN]
    #[arg(long, value_name = "ADDR")]
    listen: Option<String>,
    /// Where people reach it, behind a proxy [default: http:// and the address, or SCRIP_PUBLIC_URL]
    #[arg(long, value_name = "URL")]
    public_url: Option<String>,
}

impl Serve {
    pub(super) async fn run(self, flags: Flags) -> Result<(), Failure> {
        let flags = Flags { listen: self.listen, public_url: self.public_url, ..flags };
        crate::serve::run(Config::load(&flags)?).await
    }
}
