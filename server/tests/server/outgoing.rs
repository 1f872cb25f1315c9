//! Where webhooks may go: a thousand spellings of addresses that they may not, names that say something else the second time, and
//! receivers that lie.

use super::receiver::{Receiver, allowing};
use futures::future::BoxFuture;
use scrip_server::config::Config;
use scrip_server::outgoing::{CallError, Names, Outgoing};
use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

/// Names that are known here alone.
struct Book<F>(F);

impl<F: Fn(&str) -> Vec<IpAddr> + Send + Sync> Names for Book<F> {
    fn addresses<'a>(&'a self, host: &'a str, _: u16) -> BoxFuture<'a, std::io::Result<Vec<IpAddr>>> {
        Box::pin(async move { Ok((self.0)(host)) })
    }
}

fn book(known: impl Fn(&str) -> Vec<IpAddr> + Send + Sync + 'static) -> Arc<dyn Names> {
    Arc::new(Book(known))
}

fn ip(text: &str) -> IpAddr {
    text.parse().expect("an address")
}

/// Addresses that nothing may be sent to, of each kind that there is.
const FORBIDDEN: [[u8; 4]; 20] = [
    [127, 0, 0, 1],
    [127, 1, 2, 3],
    [127, 255, 255, 254],
    [0, 0, 0, 0],
    [0, 1, 2, 3],
    [10, 0, 0, 1],
    [10, 255, 0, 9],
    [100, 64, 0, 1],
    [100, 127, 9, 9],
    [169, 254, 169, 254],
    [169, 254, 170, 2],
    [172, 16, 0, 1],
    [172, 31, 255, 254],
    [192, 168, 0, 1],
    [192, 168, 178, 1],
    [192, 0, 0, 192],
    [198, 18, 0, 1],
    [224, 0, 0, 1],
    [240, 0, 0, 1],
    [255, 255, 255, 255],
];

/// The ways in which browsers and resolvers read one IPv4 address.
fn spellings(octets: [u8; 4]) -> Vec<String> {
    let [a, b, c, d] = octets.map(u32::from);
    let all = u32::from(Ipv4Addr::from(octets));
    let (last3, last2) = (b << 16 | c << 8 | d, c << 8 | d);
    let wide = |text: &str| {
        text.chars().map(|c| char::from_u32(u32::from(c) - 0x21 + 0xff01).unwrap_or(c)).collect::<String>()
    };
    let escaped = |text: &str| text.bytes().map(|b| format!("%{b:02x}")).collect::<String>();
    let dotted = format!("{a}.{b}.{c}.{d}");
    let mut hosts = vec![
        dotted.clone(),
        format!("{dotted}."),
        format!("{all}"),
        format!("{all:#x}"),
        format!("{all:#X}").replace("0X", "0x"),
        format!("0{all:o}"),
        format!("0x{all:08X}"),
        format!("00{all:o}"),
        format!("{a}.{last3}"),
        format!("{a:#x}.{last3:#x}"),
        format!("0{a:o}.0{last3:o}"),
        format!("{a}.{b}.{last2}"),
        format!("{a:#x}.{b}.{last2:#x}"),
        format!("0{a:o}.{b:#x}.{c}.{d}"),
        format!("{a:#x}.{b:#x}.{c:#x}.{d:#x}"),
        format!("0{a:o}.0{b:o}.0{c:o}.0{d:o}"),
        format!("000{a:o}.{b}.{c}.{d}"),
        format!("{a}.0x{last3:X}"),
        escaped(&dotted),
        escaped(&all.to_string()),
        wide(&dotted),
        wide(&all.to_string()),
        dotted.replace('.', "\u{3002}"),
        dotted.replace('.', "\u{ff0e}"),
        dotted.replace('.', "\u{ff61}"),
        dotted.replace('.', "%2e"),
    ];
    let (high, low) = (all >> 16, all & 0xffff);
    for v6 in [
        format!("::ffff:{dotted}"),
        format!("::ffff:{high:x}:{low:x}"),
        format!("0:0:0:0:0:ffff:{high:04x}:{low:04X}"),
        format!("::FFFF:{high:X}:{low:X}"),
        format!("::{dotted}"),
        format!("::{high:x}:{low:x}"),
        format!("::ffff:0:{dotted}"),
        format!("64:ff9b::{dotted}"),
        format!("64:ff9b::{high:x}:{low:x}"),
        format!("64:ff9b:1::{dotted}"),
        format!("2002:{high:x}:{low:x}::"),
        format!("2002:{high:x}:{low:x}::1"),
        format!("2001:0:{high:x}:{low:x}::1"),
    ] {
        hosts.push(format!("[{v6}]"));
    }
    hosts
}

/// Whole addresses for a host, some of them written as nobody should.
fn urls(host: &str) -> Vec<String> {
    vec![
        format!("https://{host}/hook"),
        format!("HTTPS://{host}:8443/hook?x=1"),
        format!("https:\\\\{host}\\hook"),
        format!("https:/{host}/"),
        format!(" https://{host}/\t"),
    ]
}

#[tokio::test]
async fn a_thousand_spellings_of_forbidden_addresses_are_refused() {
    // Whatever is no address by itself is a name, and names lead to this machine here: the worst that they could.
    let outgoing = Outgoing::with_names(&Config::default(), book(|_| vec![ip("127.0.0.1")])).expect("set up");
    let mut all = BTreeSet::new();
    for octets in FORBIDDEN {
        spellings(octets).iter().for_each(|host| all.extend(urls(host)));
    }
    for host in [
        "[::1]",
        "[::]",
        "[0:0:0:0:0:0:0:1]",
        "[fe80::1]",
        "[fc00::1]",
        "[fd12:3456::1]",
        "[ff02::1]",
        "[fec0::1]",
        "[100::1]",
        "[2001:db8::1]",
        "[3fff::1]",
        "[5f00::1]",
        "localhost",
        "LOCALHOST",
        "localhost.",
        "localhost.localdomain",
        "metadata.google.internal",
        "127.0.0.1.nip.io",
        "loc\u{430}lhost",
        "\u{24db}\u{24de}\u{24d2}\u{24d0}\u{24db}\u{24d7}\u{24de}\u{24e2}\u{24e3}",
        "%6c%6f%63%61%6c%68%6f%73%74",
        "ip6-loopback",
        "a.b.c.internal",
        "x",
    ] {
        all.extend(urls(host));
    }
    assert!(all.len() >= 1_000, "{} spellings", all.len());
    let mut by_address = 0;
    for url in &all {
        match outgoing.target(url).await {
            Err(CallError::ForbiddenAddress) => by_address += 1,
            Err(CallError::BadUrl) => {}
            other => panic!("{url:?}: {other:?}"),
        }
    }
    println!("{} spellings refused, {by_address} of them for what they mean", all.len());
    assert!(
        by_address * 10 > all.len() * 9,
        "most of them are read as the addresses that they are: {by_address} of {}",
        all.len()
    );
    for url in [
        "https://user@example.com/",
        "https://user:word@example.com/",
        "https://example.com@127.0.0.1/",
        "ftp://example.com/",
        "file:///etc/passwd",
        "gopher://127.0.0.1/",
        "javascript:alert(1)",
        "https://",
        "example.com",
        "",
        "https://[::1",
        "https://1.2.3.4.5.6/",
        "https://999.1.1.1/",
        "data:,x",
    ] {
        let refused = outgoing.target(url).await.expect_err(url);
        assert!(matches!(refused, CallError::BadUrl | CallError::ForbiddenAddress), "{url:?}: {refused:?}");
    }
}

#[tokio::test]
async fn what_is_public_is_taken_and_only_encrypted() {
    let outgoing = Outgoing::with_names(
        &Config::default(),
        book(|host| match host {
            "example.com" => vec![ip("93.184.215.14"), ip("2606:2800:21f:cb07:6820:80da:af6b:8b2c")],
            "mixed.example" => vec![ip("93.184.215.14"), ip("10.0.0.1")],
            "many.example" => (0..40).map(|n| IpAddr::from([8, 8, 8, n])).collect(),
            _ => Vec::new(),
        }),
    );
    let outgoing = outgoing.expect("set up");
    for (url, count) in [
        ("https://example.com/hook", 2),
        ("https://8.8.8.8:444/x", 1),
        ("https://0x08080808/", 1),
        ("https://[2606:4700::1111]/", 1),
    ] {
        let target = outgoing.target(url).await.expect(url);
        assert_eq!(target.addresses().len(), count, "{url}");
    }
    for (url, refused) in [
        ("http://example.com/", CallError::NotEncrypted),
        ("https://mixed.example/", CallError::ForbiddenAddress),
        ("https://many.example/", CallError::NoSuchHost),
        ("https://nobody.example/", CallError::NoSuchHost),
    ] {
        assert_eq!(outgoing.target(url).await.expect_err(url), refused, "{url}");
    }
}

/// Public when it is asked for the first time, this machine from then on.
fn rebinding(asked: &Arc<AtomicUsize>) -> Arc<dyn Names> {
    let asked = Arc::clone(asked);
    book(move |_| match asked.fetch_add(1, Ordering::SeqCst) {
        0 => vec![ip("93.184.215.14")],
        _ => vec![ip("127.0.0.1")],
    })
}

#[tokio::test]
async fn a_name_that_says_something_else_the_second_time_leads_nowhere() {
    let receiver = Receiver::start(|_| 204).await;
    let asked = Arc::new(AtomicUsize::new(0));
    let outgoing = Outgoing::with_names(&Config::default(), rebinding(&asked)).expect("set up");
    let url = format!("https://rebind.example:{}/hook", receiver.port());
    outgoing.target(&url).await.expect("public, when it was typed");
    let called = outgoing.post(&url, Vec::new(), "{}".to_owned()).await;
    assert_eq!(called.answer, Err(CallError::ForbiddenAddress));
    assert_eq!((receiver.count(), asked.load(Ordering::SeqCst)), (0, 2));
}

/// A call looks a name up once, and connects to what it was told: whatever the name says by then.
#[tokio::test]
async fn a_call_goes_to_the_addresses_that_were_checked_and_asks_for_them_once() {
    let receiver = Receiver::start(|_| 204).await;
    let seen = Arc::new(Mutex::new(Vec::new()));
    let noted = Arc::clone(&seen);
    let names = book(move |host| {
        let mut noted = noted.lock().expect("alive");
        noted.push(host.to_owned());
        // Checked as allowed the first time; a second look-up would lead to where nobody listens.
        if noted.len() == 1 { vec![ip("127.0.0.1")] } else { vec![ip("127.9.9.9")] }
    });
    let outgoing = Outgoing::with_names(&allowing("127.0.0.0/8"), names).expect("set up");
    let url = format!("http://receiver.example:{}/hook", receiver.port());
    let called = outgoing.post(&url, vec![("webhook-id", "msg_1".to_owned())], "{}".to_owned()).await;
    assert_eq!(called.answer.expect("answered").status, 204);
    assert_eq!(*seen.lock().expect("alive"), ["receiver.example"]);
    assert_eq!(receiver.requests()[0].id, "msg_1");
}

#[tokio::test]
async fn redirects_are_not_followed_and_endless_answers_are_cut() {
    let elsewhere = Receiver::start(|_| 200).await;
    let to = format!("http://127.0.0.1:{}/", elsewhere.port());
    let receiver = Receiver::raw(move |_| {
        format!("HTTP/1.1 307 Temporary Redirect\r\nlocation: {to}\r\ncontent-length: 0\r\n\r\n").into_bytes()
    })
    .await;
    let outgoing = Outgoing::new(&allowing("127.0.0.1")).expect("set up");
    let post = async |port: u16| outgoing.post(&format!("http://127.0.0.1:{port}/"), Vec::new(), "{}".to_owned()).await;
    assert_eq!(post(receiver.port()).await.answer.expect("answered").status, 307);
    assert_eq!(elsewhere.count(), 0);
    // Two megabytes, of which it is said that they are three, without an end.
    let huge = Receiver::raw(|_| {
        let mut answer = b"HTTP/1.1 200 OK\r\ncontent-length: 3000000\r\n\r\n".to_vec();
        answer.extend(std::iter::repeat_n(b"\x1b[31m\xffok ".as_slice(), 250_000).flatten());
        answer
    })
    .await;
    let answer = post(huge.port()).await.answer.expect("answered");
    assert!(
        answer.status == 200 && answer.text.chars().count() <= 1_000 && !answer.text.contains('\u{1b}'),
        "{answer:?}"
    );
    for (bytes, expected) in [
        (b"SSH-2.0-OpenSSH_9.9\r\n".to_vec(), CallError::BrokenAnswer),
        (Vec::new(), CallError::BrokenAnswer),
        ([b"HTTP/1.1 200 OK\r\nx: ".to_vec(), vec![b'x'; 2_000_000]].concat(), CallError::BrokenAnswer),
    ] {
        let liar = Receiver::raw(move |_| bytes.clone()).await;
        assert_eq!(post(liar.port()).await.answer, Err(expected));
    }
    let gone = Receiver::start(|_| 204).await;
    let port = gone.port();
    drop(gone);
    assert_eq!(post(port).await.answer, Err(CallError::ConnectFailed));
}
