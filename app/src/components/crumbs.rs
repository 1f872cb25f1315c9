//! Where a page is, as links that lead back up: breadcrumbs. Server only, for pages that stand still.

use crate::markup::Markup;

/// The way to a page: addresses and titles, from the top down. The last one is the page itself, which its `<h1>` names: give
/// what is above it.
#[must_use]
pub fn crumbs(above: &[(&str, &str)]) -> Markup {
    let step = |(href, title): &(&str, &str)| {
        let link = Markup::new("a").attr("href", href).attr("rel", "external").text(title);
        Markup::new("li").child(link)
    };
    let list = Markup::new("ol").children(above.iter().map(step));
    Markup::new("nav").class("crumbs").attr("aria-label", "Breadcrumb").child(list)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_step_leads_up() {
        let mut html = String::new();
        crumbs(&[("/customers", "Customers"), ("/users?a=1&b=2", "<b>")]).write_html(&mut html);
        let expected = "<nav class=\"crumbs\" aria-label=\"Breadcrumb\"><ol>\
            <li><a href=\"/customers\" rel=\"external\">Customers</a></li>\
            <li><a href=\"/users?a=1&amp;b=2\" rel=\"external\">&lt;b&gt;</a></li></ol></nav>";
        assert_eq!(html, expected);
    }
}
