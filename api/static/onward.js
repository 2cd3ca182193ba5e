// Sends on what came back from the identity provider; without it the button does.
document.querySelector("form[data-onward]")?.requestSubmit();
