//! Members, invitations and accounts, as their pages show them.

use super::{Backend, Viewer, local};
use crate::calendar::date_and_clock;
use crate::components::people::data::{
    Factor, InvitationLine, Invited, MemberLine, Members, PasskeyLine, Passkeys, Security, SessionLine, Way,
};
use crate::error::AppError;
use crate::markup::Markup;
use crate::server_fns::Moment;
use ledger::{Permission, Role, Timestamp};
use leptos::prelude::use_context;
use qrcode::{Color, QrCode};
use std::fmt::Write as _;
use store::session::{FRESH_US, token_hash};
use store::{Membership, Org, PasskeyRow, SessionRow, Store};

/// Bytes of a token's hash by which a form names a session: they tell nothing of the token.
const SESSION_NAME_BYTES: usize = 8;
/// Letters of a secret that are read together.
const GROUP: usize = 4;

/// What is shown once, in the answer to the form that made it, and is in no address.
#[derive(Debug, Clone)]
pub enum Shown {
    /// New recovery codes.
    Codes(Vec<String>),
    /// The link of an invitation that no mail carries.
    Link {
        /// Whom it is for.
        email: String,
        /// The link.
        link: String,
        /// Whether a mail was tried and failed.
        failed: bool,
    },
}

/// Whether mail goes anywhere: a setting of the server, for pages that say so.
#[derive(Debug, Clone, Copy)]
pub struct MailIsSetUp(pub bool);

/// Why nobody can use passkeys at this server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoPasskeys {
    /// Its address is an IP address.
    Address,
    /// It is reached without encryption.
    Unencrypted,
}

/// How people sign in but by password: settings of the server, for pages that offer it.
#[derive(Debug, Clone, Default)]
pub struct WaysIn {
    /// Why not by passkey, if not.
    pub no_passkeys: Option<NoPasskeys>,
    /// The service elsewhere that signs people in: what people call it, and its address.
    pub elsewhere: Option<(String, String)>,
}

/// Email of whoever is signed in, whether or not they belong to an org.
#[derive(Debug, Clone)]
pub struct Visitor(pub Option<String>);

impl Backend {
    /// The Members page.
    ///
    /// # Errors
    /// [`AppError::NotSignedIn`], or what the store says.
    pub async fn members(&self) -> Result<Members, AppError> {
        let viewer = self.viewer.as_ref().ok_or(AppError::NotSignedIn)?;
        let org = self.store.org(viewer.org).await?;
        let may = viewer.role.may(Permission::ManageMembers);
        let found = self.store.members(viewer.org).await?;
        let owners = found.iter().filter(|member| member.role == Role::Owner).count();
        let line = |member: store::Member| {
            let touchable = viewer.role == Role::Owner || member.role != Role::Owner;
            Ok(MemberLine {
                id: member.user.0,
                since: moment(&org, member.since)?,
                second_factor: member.second_factor,
                you: member.user == viewer.user,
                changeable: may && touchable && (member.role != Role::Owner || owners > 1),
                role: member.role,
                email: member.email,
            })
        };
        let members = found.into_iter().map(line).collect::<Result<_, AppError>>()?;
        // Who is asked is the business of those who ask.
        let invitations = if may { self.store.invitations(viewer.org).await? } else { Vec::new() };
        let now = self.store.now();
        let line = |invitation: store::Invitation| {
            Ok(InvitationLine {
                id: invitation.id,
                email: invitation.email,
                role: invitation.role,
                by: invitation.invited_by,
                until: moment(&org, invitation.expires_at)?,
                over: invitation.expires_at <= now,
            })
        };
        let invitations = invitations.into_iter().map(line).collect::<Result<_, AppError>>()?;
        Ok(Members {
            role: viewer.role,
            may_not: (!may).then(|| Permission::ManageMembers.refusal(viewer.role)),
            members,
            invitations,
            mail: mail(),
            last_owner: viewer.role == Role::Owner && owners == 1,
            org: org.name,
        })
    }

    /// The Security page.
    ///
    /// # Errors
    /// [`AppError::NotSignedIn`], or what the store says.
    pub async fn security(&self) -> Result<Security, AppError> {
        let viewer = self.viewer.as_ref().ok_or(AppError::NotSignedIn)?;
        let org = self.store.org(viewer.org).await?;
        let factor = match self.store.second_factor(viewer.user).await? {
            None => Factor::Off,
            Some(factor) => match factor.confirmed_at {
                None => begun(&factor.secret, &org.product, &viewer.email),
                Some(since) => Factor::On { since: moment(&org, since)?, codes_left: factor.codes_left },
            },
        };
        let line = |row: SessionRow| session_line(&org, viewer.session, row);
        let sessions = self.store.sessions(viewer.user).await?;
        let sessions = sessions.into_iter().map(line).collect::<Result<_, AppError>>()?;
        let ways = ways_in();
        let elsewhere = match ways.elsewhere {
            Some((name, issuer)) => Some((name, self.store.is_linked(viewer.user, &issuer).await?)),
            None => None,
        };
        let passkeys = self.passkeys(viewer, &org, ways.no_passkeys).await?;
        Ok(Security { email: viewer.email.clone(), factor, passkeys, elsewhere, sessions })
    }

    async fn passkeys(&self, viewer: &Viewer, org: &Org, none: Option<NoPasskeys>) -> Result<Passkeys, AppError> {
        let began = self.store.session_began(viewer.session).await?;
        let now = self.store.now().micros();
        let line = |row: PasskeyRow| {
            let used = row.used_at.map(|at| moment(org, at)).transpose()?;
            Ok(PasskeyLine { id: row.id, name: row.name, added: moment(org, row.created_at)?, used })
        };
        let lines = self.store.passkeys(viewer.user).await?.into_iter().map(line).collect::<Result<_, AppError>>()?;
        let fresh = began.is_some_and(|began| now.saturating_sub(began.micros()) < FRESH_US);
        Ok(Passkeys { lines, none: none.map(why), fresh })
    }

    /// What an invitation's link leads to.
    ///
    /// # Errors
    /// What the store says.
    pub async fn invited(&self, token: &str) -> Result<Invited, AppError> {
        let Some(invited) = self.store.invited(token_hash(token)).await? else { return Ok(Invited::Late) };
        let visitor = use_context::<Visitor>().and_then(|visitor| visitor.0);
        let way = match (visitor, invited.has_account) {
            (_, false) => Way::New,
            (Some(email), true) if email == invited.email => Way::Click,
            (Some(email), true) => Way::Other(email),
            (None, true) => Way::SignIn,
        };
        let (role, by) = (invited.role, invited.invited_by);
        Ok(Invited::Open { org: invited.org_name, email: invited.email, role, by, way })
    }

    /// Whose password a link sets; `None` where it is over.
    ///
    /// # Errors
    /// What the store says.
    pub async fn reset_of(&self, token: &str) -> Result<Option<String>, AppError> {
        Ok(self.store.reset_of(token_hash(token)).await?.map(|(_, email)| email))
    }
}

/// The form by which somebody goes to another of their orgs, or its name where there is only one. Markup, so that it costs the
/// browser no code.
pub(super) async fn switcher(store: &Store, viewer: &Viewer, name: &str) -> Result<Markup, AppError> {
    let orgs = store.memberships(viewer.user).await?;
    if orgs.len() < 2 {
        return Ok(Markup::new("span").class("org-name").text(name));
    }
    let option = |org: &Membership| {
        let chosen = (org.org == viewer.org).then_some("");
        Markup::new("option").attr("value", &org.org.0.to_string()).maybe_attr("selected", chosen).text(&org.name)
    };
    let select =
        Markup::new("select").attr("name", "org").attr("aria-label", "Organization").attr("autocomplete", "off");
    let form = Markup::new("form").class("switcher").attr("method", "post").attr("action", "/switch");
    let go = Markup::new("button").class("button").text("Switch");
    Ok(form.child(select.children(orgs.iter().map(option))).child(go))
}

/// How people sign in but by password.
#[must_use]
pub fn ways_in() -> WaysIn {
    use_context::<WaysIn>().unwrap_or_default()
}

const fn why(none: NoPasskeys) -> &'static str {
    match none {
        NoPasskeys::Address => {
            "Passkeys are not available here: browsers give them to names, not to IP addresses. Whoever runs this server can \
             set public_url to an address with a name, such as https://scrip.example.com or http://localhost:3000."
        }
        NoPasskeys::Unencrypted => {
            "Passkeys are not available here: browsers give them to encrypted addresses only. Whoever runs this server can \
             set public_url to one that begins with https://."
        }
    }
}

/// Whether mail goes anywhere.
#[must_use]
pub fn mail() -> bool {
    use_context::<MailIsSetUp>().is_some_and(|set_up| set_up.0)
}

pub(super) fn moment(org: &Org, at: Timestamp) -> Result<Moment, AppError> {
    Ok(Moment { iso: at.to_string(), text: date_and_clock(local(org, at)?) })
}

fn session_line(org: &Org, this: [u8; 32], row: SessionRow) -> Result<SessionLine, AppError> {
    let id = row.token_hash.iter().take(SESSION_NAME_BYTES).fold(String::new(), |mut id, byte| {
        // Writing into a text cannot fail.
        let _ = write!(id, "{byte:02x}");
        id
    });
    Ok(SessionLine {
        id,
        device: row.agent.as_deref().map_or_else(|| "Unknown browser".to_owned(), device),
        address: row.address.unwrap_or_else(|| "Unknown".to_owned()),
        created: moment(org, row.created_at)?,
        seen: moment(org, row.seen_at)?,
        this: row.token_hash == this,
    })
}

/// Browser and system of a `User-Agent`, as far as they are among the usual ones. Newer names come first: every browser
/// also claims to be an older one.
fn device(agent: &str) -> String {
    const BROWSERS: [(&str, &str); 8] = [
        ("Edg", "Edge"),
        ("OPR/", "Opera"),
        ("Firefox/", "Firefox"),
        ("FxiOS/", "Firefox"),
        ("CriOS/", "Chrome"),
        ("Chrome/", "Chrome"),
        ("Safari/", "Safari"),
        ("curl/", "curl"),
    ];
    const SYSTEMS: [(&str, &str); 7] = [
        ("Android", "Android"),
        ("iPhone", "iPhone"),
        ("iPad", "iPad"),
        ("Windows", "Windows"),
        ("Mac OS X", "macOS"),
        ("CrOS", "ChromeOS"),
        ("Linux", "Linux"),
    ];
    let named =
        |names: &[(&str, &'static str)]| names.iter().find(|(part, _)| agent.contains(part)).map(|(_, name)| *name);
    match (named(&BROWSERS), named(&SYSTEMS)) {
        (Some(browser), Some(system)) => format!("{browser} on {system}"),
        (Some(name), None) => name.to_owned(),
        (None, Some(system)) => format!("Unknown browser on {system}"),
        (None, None) => "Unknown browser".to_owned(),
    }
}

fn begun(secret: &str, product: &str, email: &str) -> Factor {
    let (issuer, account) = (escaped(product), escaped(email));
    let uri = format!("otpauth://totp/{issuer}:{account}?secret={secret}&issuer={issuer}");
    let letters: Vec<char> = secret.chars().collect();
    let key = letters.chunks(GROUP).map(|group| group.iter().collect::<String>()).collect::<Vec<_>>().join(" ");
    Factor::Begun { key, picture: picture(&uri), uri }
}

/// Letters, digits and a few signs stay; everything else is escaped.
fn escaped(text: &str) -> String {
    text.bytes().fold(String::new(), |mut text, byte| {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => text.push(char::from(byte)),
            // Writing into a text cannot fail.
            _ => drop(write!(text, "%{byte:02X}")),
        }
        text
    })
}

/// The dark modules of a QR code as an SVG path; rows are runs, so that it stays small.
fn picture(text: &str) -> Option<(usize, String)> {
    let code = QrCode::new(text).ok()?;
    let width = code.width();
    let mut path = String::new();
    for (y, row) in code.to_colors().chunks(width).enumerate() {
        let mut x = 0;
        while x < width {
            let run = row[x..].iter().take_while(|color| **color == Color::Dark).count();
            if run > 0 {
                // Writing into a text cannot fail.
                let _ = write!(path, "M{x} {y}h{run}v1h-{run}z");
            }
            x += run.max(1);
        }
    }
    Some((width, path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn devices_are_told_by_what_people_call_them() {
        let chrome =
            "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36";
        assert_eq!(device(chrome), "Chrome on Linux");
        assert_eq!(device(&format!("{chrome} Edg/140.0")), "Edge on Linux");
        let phone = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 Version/18.0 Mobile Safari/604.1";
        assert_eq!(device(phone), "Safari on iPhone");
        assert_eq!(device("<script>"), "Unknown browser");
    }

    #[test]
    fn an_email_cannot_change_what_an_app_reads() {
        let Factor::Begun { uri, key, picture } = begun("ABCDEFGH", "My & Co", "a?secret=X&b#c@d.e") else {
            panic!("begun")
        };
        assert_eq!(
            uri,
            "otpauth://totp/My%20%26%20Co:a%3Fsecret%3DX%26b%23c%40d.e?secret=ABCDEFGH&issuer=My%20%26%20Co"
        );
        assert_eq!(key, "ABCD EFGH");
        let (width, path) = picture.expect("fits");
        // The corner: a finder pattern's seven dark modules.
        assert!(width >= 21 && path.starts_with("M0 0h7v1h-7z"), "{path}");
    }
}
