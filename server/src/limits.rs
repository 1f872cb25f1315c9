//! How many requests are taken: per key, per org, and per address of whoever brings no key.
//!
//! Each is a bucket that holds [`BURST_S`] seconds' worth and fills at its rate, so a burst passes and a flood does not. What is
//! refused costs neither a look into the database nor a place among the requests. Counts are in memory and lost with a
//! restart, which whoever is limited cannot cause.
//!
//! Answers to keys say how much is left, by the fields `RateLimit-Policy` and `RateLimit` of
//! draft-ietf-httpapi-ratelimit-headers-10; a refusal adds `Retry-After`.

use crate::config::Config;
use crate::problem::Problem;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use governor::clock::{Clock, MonotonicClock};
use governor::middleware::StateInformationMiddleware;
use governor::state::keyed::DashMapStateStore;
use governor::{Quota, RateLimiter};
use ledger::OrgId;
use std::fmt::Write as _;
use std::hash::Hash;
use std::net::{IpAddr, Ipv6Addr};
use std::num::NonZeroU32;

/// How many seconds' worth of requests may come at once: a service that starts, or a page with all its parts.
const BURST_S: u32 = 10;
/// Buckets of a kind: some 10 MB. When there are as many, whoever is new shares one bucket.
const MAX_BUCKETS: usize = 50_000;
/// One customer of a network provider has a /64 of version 6 at least, so that is what counts as one address.
const V6_NETWORK: u128 = !0 << 64;
const POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");
const LEFT: HeaderName = HeaderName::from_static("ratelimit");

/// All limits of a server.
pub struct Limits<C: Clock + Clone = MonotonicClock> {
    keys: Option<Buckets<String, C>>,
    orgs: Option<Buckets<Option<OrgId>, C>>,
    addresses: Option<Buckets<IpAddr, C>>,
}

/// How a bucket stands after a request was taken from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Left {
    name: &'static str,
    burst: u32,
    left: u32,
    full_after_s: u32,
}

/// A bucket is empty.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Exceeded {
    name: &'static str,
    per_s: u32,
    burst: u32,
    retry_after_s: u32,
}

impl Limits {
    /// As configured; 0 is no limit.
    #[must_use]
    pub fn new(config: &Config) -> Self {
        Self::with_clock(config, &MonotonicClock)
    }
}

impl<C: Clock + Clone> Limits<C> {
    fn with_clock(config: &Config, clock: &C) -> Self {
        Self {
            keys: Buckets::new("key", config.key_requests_per_s, String::new(), clock),
            orgs: Buckets::new("org", config.org_requests_per_s, None, clock),
            addresses: Buckets::new("address", config.address_requests_per_s, Ipv6Addr::UNSPECIFIED.into(), clock),
        }
    }

    /// Takes a request with that key of that org.
    ///
    /// # Errors
    /// [`Exceeded`] names the limit.
    pub fn key(&self, prefix: &str, org: OrgId) -> Result<[Option<Left>; 2], Exceeded> {
        let key = self.keys.as_ref().map(|keys| keys.take(prefix.to_owned())).transpose()?;
        let org = self.orgs.as_ref().map(|orgs| orgs.take(Some(org))).transpose()?;
        Ok([key, org])
    }

    /// Takes a request without a key, or with one that does not count. Without an address there is nothing to count by.
    ///
    /// # Errors
    /// [`Exceeded`].
    pub fn address(&self, address: Option<IpAddr>) -> Result<(), Exceeded> {
        if let (Some(addresses), Some(address)) = (&self.addresses, address) {
            addresses.take(network(address))?;
        }
        Ok(())
    }

    /// Forgets the buckets that are full again.
    pub fn forget_full(&self) {
        if let Some(keys) = &self.keys {
            keys.limiter.retain_recent();
        }
        if let Some(orgs) = &self.orgs {
            orgs.limiter.retain_recent();
        }
        if let Some(addresses) = &self.addresses {
            addresses.limiter.retain_recent();
        }
    }
}

struct Buckets<K: Clone + Eq + Hash, C: Clock + Clone> {
    name: &'static str,
    per_s: NonZeroU32,
    limiter: RateLimiter<K, DashMapStateStore<K>, C, StateInformationMiddleware>,
    /// Shared by whoever comes when there are too many.
    rest: K,
}

impl<K: Clone + Eq + Hash, C: Clock + Clone> Buckets<K, C> {
    fn new(name: &'static str, per_s: u32, rest: K, clock: &C) -> Option<Self> {
        let per_s = NonZeroU32::new(per_s)?;
        let quota = Quota::per_second(per_s).allow_burst(burst(per_s));
        let limiter = RateLimiter::new(quota, DashMapStateStore::default(), clock.clone());
        Some(Self { name, per_s, limiter, rest })
    }

    fn take(&self, whose: K) -> Result<Left, Exceeded> {
        let whose = if self.limiter.len() < MAX_BUCKETS { whose } else { self.rest.clone() };
        let (name, per_s, burst) = (self.name, self.per_s.get(), burst(self.per_s).get());
        match self.limiter.check_key(&whose) {
            Ok(state) => {
                let left = state.remaining_burst_capacity();
                Ok(Left { name, burst, left, full_after_s: (burst - left).div_ceil(per_s) })
            }
            Err(not_yet) => {
                let wait = not_yet.wait_time_from(self.limiter.clock().now());
                let retry_after_s = u32::try_from(wait.as_secs()).unwrap_or(u32::MAX).saturating_add(1);
                Err(Exceeded { name, per_s, burst, retry_after_s })
            }
        }
    }
}

fn burst(per_s: NonZeroU32) -> NonZeroU32 {
    per_s.saturating_mul(const { NonZeroU32::new(BURST_S).expect("not zero") })
}

fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => Ipv6Addr::from_bits(v6.to_bits() & V6_NETWORK).into(),
        v4 @ IpAddr::V4(_) => v4,
    }
}

/// Says on an answer how its buckets stand.
pub fn tell(headers: &mut HeaderMap, buckets: [Option<Left>; 2]) {
    let (mut policy, mut left) = (String::new(), String::new());
    for bucket in buckets.into_iter().flatten() {
        let comma = if policy.is_empty() { "" } else { ", " };
        // Writing to a String cannot fail.
        let _ = write!(policy, "{comma}\"{}\";q={};w={BURST_S}", bucket.name, bucket.burst);
        let _ = write!(left, "{comma}\"{}\";r={};t={}", bucket.name, bucket.left, bucket.full_after_s);
    }
    for (name, value) in [(POLICY, policy), (LEFT, left)] {
        if let (false, Ok(value)) = (value.is_empty(), HeaderValue::try_from(value)) {
            headers.insert(name, value);
        }
    }
}

impl From<Exceeded> for Problem {
    fn from(exceeded: Exceeded) -> Self {
        let Exceeded { name, per_s, burst, retry_after_s } = exceeded;
        let more = if name == "address" { "" } else { ", and send many events in one batch" };
        let detail = format!("more than {per_s} requests a second of one {name}: come back in {retry_after_s} s{more}");
        Self::new(StatusCode::TOO_MANY_REQUESTS, "rate_limited", detail)
            .retry_after(retry_after_s)
            .with(serde_json::json!({ "limit": name, "requests_per_s": per_s, "burst": burst }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use governor::clock::FakeRelativeClock;
    use std::time::Duration;

    fn limits(clock: &FakeRelativeClock) -> Limits<FakeRelativeClock> {
        let config =
            Config { key_requests_per_s: 2, org_requests_per_s: 3, address_requests_per_s: 1, ..Config::default() };
        Limits::with_clock(&config, clock)
    }

    const fn org(number: i64) -> OrgId {
        OrgId(number)
    }

    #[test]
    fn a_burst_passes_then_the_rate_then_it_is_full_again() {
        let clock = FakeRelativeClock::default();
        let limits = limits(&clock);
        for _ in 0..20 {
            limits.key("a", org(1)).expect("ten seconds' worth");
        }
        let refused = limits.key("a", org(1)).expect_err("empty");
        assert_eq!((refused.name, refused.retry_after_s), ("key", 1));
        clock.advance(Duration::from_secs(1));
        let [key, _] = limits.key("a", org(1)).expect("two a second");
        assert_eq!(key.map(|left| (left.left, left.full_after_s)), Some((1, 10)));
        clock.advance(Duration::from_secs(10));
        let [key, _] = limits.key("a", org(1)).expect("full");
        assert_eq!(key.map(|left| (left.left, left.full_after_s)), Some((19, 1)));
    }

    #[test]
    fn keys_share_the_limit_of_their_org_and_other_orgs_have_their_own() {
        let clock = FakeRelativeClock::default();
        let limits = limits(&clock);
        let taken = (0..40).filter(|n| limits.key(if n % 2 == 0 { "a" } else { "b" }, org(1)).is_ok()).count();
        assert_eq!(taken, 30);
        assert!(limits.key("c", org(2)).is_ok());
    }

    #[test]
    fn an_address_is_one_of_version_4_or_a_network_of_version_6() {
        let clock = FakeRelativeClock::default();
        let limits = limits(&clock);
        let take = |text: &str| limits.address(Some(text.parse().expect("an address"))).is_ok();
        assert_eq!((0..12).filter(|n| take(&format!("2001:db8::{n}"))).count(), 10);
        assert!(take("2001:db8:0:1::1") && take("192.0.2.1") && take("::ffff:192.0.2.2"));
        assert_eq!((0..12).filter(|_| take("192.0.2.2")).count(), 9);
        assert!(limits.address(None).is_ok());
    }

    #[test]
    fn whoever_comes_when_too_many_are_counted_shares_a_bucket_and_what_is_full_is_forgotten() {
        let clock = FakeRelativeClock::default();
        let limits = limits(&clock);
        let address = |n: u32| Some(IpAddr::from(n.to_be_bytes()));
        for n in 0..u32::try_from(MAX_BUCKETS).expect("small") {
            assert!(limits.address(address(n)).is_ok());
        }
        let late = (100_000..100_020).filter(|n| limits.address(address(*n)).is_ok()).count();
        assert_eq!(late, 10);
        clock.advance(Duration::from_secs(11));
        limits.forget_full();
        assert!((100_000..100_020).all(|n| limits.address(address(n)).is_ok()));
    }

    #[test]
    fn no_limit_says_nothing() {
        let config = Config { key_requests_per_s: 0, org_requests_per_s: 0, ..Config::default() };
        let mut headers = HeaderMap::new();
        tell(&mut headers, Limits::new(&config).key("a", org(1)).expect("no limit"));
        assert!(headers.is_empty());
        let limits = Limits::new(&Config { org_requests_per_s: 0, ..Config::default() });
        tell(&mut headers, limits.key("a", org(1)).expect("the first"));
        assert_eq!(headers["ratelimit-policy"], "\"key\";q=10000;w=10");
        assert_eq!(headers["ratelimit"], "\"key\";r=9999;t=1");
    }
}
