//! Where a request comes from: the peer of the connection, or whom the proxy in front names.

use crate::config::Config;
use axum::extract::ConnectInfo;
use axum::http::{Extensions, HeaderMap};
use std::net::{IpAddr, SocketAddr};

const FORWARDED_FOR: &str = "x-forwarded-for";

/// The address; `None` where there is no connection, as in tests of the router.
///
/// Of `x-forwarded-for` only the last part counts, and only where a proxy is configured: that part is the proxy's own, what
/// stands before it is whatever the other side sent.
#[must_use]
pub fn of(config: &Config, headers: &HeaderMap, extensions: &Extensions) -> Option<String> {
    ip(config, headers, extensions).map(|address| address.to_string())
}

/// The same, as a number.
#[must_use]
pub fn ip(config: &Config, headers: &HeaderMap, extensions: &Extensions) -> Option<IpAddr> {
    let peer = || extensions.get::<ConnectInfo<SocketAddr>>().map(|ConnectInfo(peer)| peer.ip());
    let forwarded = if config.behind_proxy { forwarded(headers) } else { None };
    forwarded.or_else(peer).map(|address| address.to_canonical())
}

fn forwarded(headers: &HeaderMap) -> Option<IpAddr> {
    let last = headers.get_all(FORWARDED_FOR).iter().next_back()?.to_str().ok()?;
    last.rsplit(',').next()?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    #[test]
    fn a_forwarded_address_counts_only_where_a_proxy_writes_it_and_then_only_its_last() {
        let mut headers = HeaderMap::new();
        headers.append(FORWARDED_FOR, HeaderValue::from_static("203.0.113.9"));
        headers.append(FORWARDED_FOR, HeaderValue::from_static("198.51.100.7, 192.0.2.1"));
        let mut extensions = Extensions::new();
        extensions.insert(ConnectInfo(SocketAddr::from(([127, 0, 0, 1], 4000))));
        let (direct, proxied) = (Config::default(), Config { behind_proxy: true, ..Config::default() });
        assert_eq!(of(&direct, &headers, &extensions).as_deref(), Some("127.0.0.1"));
        assert_eq!(of(&proxied, &headers, &extensions).as_deref(), Some("192.0.2.1"));
        headers.append(FORWARDED_FOR, HeaderValue::from_static("nonsense"));
        assert_eq!(of(&proxied, &headers, &extensions).as_deref(), Some("127.0.0.1"));
        assert_eq!(of(&direct, &headers, &Extensions::new()), None);
    }
}
