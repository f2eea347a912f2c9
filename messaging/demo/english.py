# One line of a dialogue is one line here.
# ruff: noqa: E501
# fmt: off
from .script import script

SCRIPTS = [
    script(
        "whatsapp", "Emma Whitfield", "6d 09:12", "Emma Whitfield",
        """
        C Good morning! Order BD-20418 was meant to arrive on Friday and there's still nothing.
        A +4 Good morning Emma, sorry to hear that. Let me look at the tracking.
        # delivery
        A +3 It has been at the Coventry depot since Thursday night. The courier marked it "address incomplete".
        C Incomplete? You've delivered here for two years.
        A I know. The label lost your flat number, so this one is on us. Is it still Flat 4B, 18 Mill Lane?
        C Yes, 4B.
        A +6 I have corrected it with the courier. They will try again tomorrow between 9 and 12.
        C Thanks. If nobody's in, the neighbour in 4A takes parcels.
        A Noted on the delivery. I will check tomorrow at noon that it arrived.
        C +1d It came at ten past ten, all fine. Thank you Budi!
        A +9 Wonderful, enjoy the Garut!
        = resolved | delivered
        """,
        agent="budi", queue="delivery", category="support",
    ),
    script(
        "email", "Oliver Grant", "6d 11:05", "Invoice for March is missing our VAT number",
        """
        C Hello, our accountant cannot book your March invoice because it does not show our VAT number. Could you send a corrected one? It is GB 123 4567 82.
        A +52 Hello Oliver, of course. Is the invoice to be made out to Grant & Daughters Ltd as before?
        # invoice
        C +3h Yes, same name and address please.
        A +18 The corrected invoice went to your accounts address just now. The old one is cancelled, so there is nothing to pay twice.
        C +1h Received, and the accountant is happy. Could the number be on all future ones?
        A It is on your account now and will be on every invoice.
        = closed | corrected invoice sent
        """,
        agent="ana", queue="billing", category="billing",
    ),
    script(
        "website", "Maya Hart", "5d 10:20", "Pausing my subscription while I travel",
        """
        C Hi, I'm away for six weeks from the 3rd. Can I pause my coffee subscription?
        B Yes. You can pause a subscription for up to three months: Account → Subscription → Pause. Nothing is charged while it is paused. (Source: Pausing and skipping)
        C I see the button but it says "next box already packed".
        B A box that is already packed cannot be stopped in the account. A colleague can change where it is sent.
        C Then please have someone send that one to my sister instead.
        A +7 Hi Maya, Ana here. Happy to. What is her address?
        # subscription
        C Lucy Hart, 7 Orchard Row, Bath BA1 2XY
        A +3 Done: this box goes to Lucy, and your subscription sleeps from the 3rd for six weeks.
        C Perfect, she'll be delighted. Thank you!
        = resolved | paused and redirected
        """,
        agent="ana", queue="billing",
    ),
    script(
        "whatsapp", "Noah Bennett", "5d 13:40", "Noah Bennett",
        """
        C Hey, ordered the 250 g bag but got whole beans, I asked for ground (moka pot).
        C [image] beans-not-ground.jpg | Order BD-20466
        A +6 Hi Noah, thanks for the photo. The packing slip says "whole bean", so it went wrong on our side when the order was imported.
        # wrong item
        A I can send a bag ground for moka today, and you keep the beans. Shall I?
        C Yes please, my friend has a grinder so they won't go to waste
        A +5 Sent with tomorrow morning's collection. You get a tracking message tonight.
        C Top service, thanks
        = resolved | replacement sent
        """,
        agent="budi", queue="delivery", category="support",
    ),
    script(
        "telegram", "Priya Raman", "5d 15:02", "Cannot log in",
        """
        C I can't log in. It says my password is wrong, then the reset mail never comes.
        A +11 Hi Priya, which e-mail address do you use to log in?
        # login
        C priya.raman@example.com
        A There is an account under priya.raman@example.com, and the reset mails did leave our side. Could you look in the spam folder?
        C Not there either. It's a company address.
        N Mail log: accepted by their filter, then "held". Third customer with a corporate filter this month.
        A +8 Your company's filter is holding our mails. If you have a private address, I can send the reset there after one check: what was in your last order?
        C Two Java Preanger, one Pagar Alam. Private is priya.r@example.com
        A That matches. The reset link is on its way to the private address and works for an hour.
        C +12 I'm in. I'd rather keep the private address on the account.
        A +4 Changed it for you. Anything else?
        C No, that was it
        = resolved
        """,
        agent="ana", queue="billing",
    ),
    script(
        "api", "Grace Holloway", "4d 09:30", "Refund for a damaged tin",
        """
        C The tin of white tea arrived with a dent so deep that the lid doesn't close. I'd like my money back, please.
        C [image] dented-tin.jpg
        A +14 Hello Grace, that must have been quite a knock. I am refunding the tin in full, 18.50.
        # refund, quality
        A It takes three to five working days, depending on your bank. No need to send it back.
        C Thank you. Will the reference say Biji & Daun?
        A Yes, "BIJI DAUN REFUND".
        C +1d It's on my account already, that was quick.
        = closed | refunded
        """,
        agent="budi", queue="delivery", category="refund",
    ),
    script(
        "email", "Thomas Eriksen", "4d 10:45", "Wholesale prices for three cafés",
        """
        C Hello, we run three cafés and go through roughly 40 kg a month. What are your wholesale conditions, and do you offer training for baristas?
        A +2h Good afternoon Mr Eriksen. From 30 kg a month it is 22 % under list, invoiced monthly, 14 days. Training is half a day at your place, free from six months on.
        # wholesale
        C +3h That sounds fair. Could we taste three espresso roasts before deciding?
        A +25 Of course. Three bags of 250 g are leaving tomorrow, with our brewing notes.
        N Asked the roastery for Kerinci, Gayo and the house blend. Call him on Monday.
        C +1d They arrived. We taste on Thursday with all three head baristas and come back to you.
        = waiting_for_customer | they taste on Thursday
        """,
        agent="ana", queue="billing", category="sales", pinned=True,
    ),
    script(
        "whatsapp", "Chloe Marsh", "4d 16:25", "Chloe Marsh",
        """
        C do you have the medium t-shirt in green again?
        B The green T-shirt is out of stock in M. L and S are available. (Source: Shop, T-shirts)
        C when will it be back
        B I have no answer to that in what I know. I am passing you to a colleague.
        A +9 Hi Chloe, the printer delivers on the 12th. Shall I put one M aside for you?
        # size
        C yes pls!!
        A It's reserved under your name for a week from the 12th. You get a message as soon as it is here.
        = waiting_for_customer | reserved until it is in stock
        """,
        agent="budi", queue="delivery", category="sales",
    ),
    script(
        "website", "Maya Hart", "3d 08:50", "Grind for a French press",
        """
        C Which grind do I pick for a French press?
        B Coarse, like sea salt: choose "French press" (setting 9). Brew 60 g to the litre for four minutes. (Source: Grinds and brewing)
        C And for cold brew?
        B The same coarse grind, 80 g to the litre, 14 hours in the fridge. (Source: Grinds and brewing)
        C great, thanks
        = resolved | answered by the assistant
        """,
    ),
    script(
        "whatsapp", "Liam O'Connor", "3d 11:15", "Liam O'Connor",
        """
        C I was charged twice for BD-20502. 64.00 two times on the same day!!
        A +7 Hello Liam, I see two charges of 64.00 here too, one minute apart. One of them is only a reservation and should drop off.
        # refund, urgent
        C Should? My rent goes out tomorrow, I need that money on the account
        A I understand. I am asking payments to release it now rather than wait.
        = escalated | double charge, customer short of money
        @ daniel
        N Spoke to the payment provider: release confirmed in writing, reference 88-1204. They say two hours.
        S +34 Hello Liam, Daniel here, I lead the team. The second charge has been released; your bank shows it within two hours. If it doesn't, write me here and I call them with you.
        C +2h It's back. Thanks for sorting it the same day.
        S Glad to hear it, and sorry for the scare. There's a voucher in your account for the next bag.
        = resolved | second charge released
        """,
        agent="ana", queue="billing", category="billing",
    ),
    script(
        "telegram", "Hannah Weiss", "3d 14:10", "Decaf that tastes of something",
        """
        C Hi! Is there any decaf of yours that doesn't taste like cardboard? Pregnant and desperate :)
        A +5 Hi Hannah, congratulations! Try the Gayo decaf: water process, chocolate and a bit of orange. It's what our roaster's wife drank.
        C sold. 2 x 250 g, ground for filter. Can I pay in the chat?
        A +3 Not in the chat, but here is your basket, ready to pay: https://example.com/basket/7Q2M
        # sales
        C Paid! How long to Leeds?
        A Two working days. It leaves tonight.
        = resolved
        """,
        agent="budi", queue="delivery", category="sales",
    ),
    script(
        "website", "Marcus Lindqvist", "2d 09:20", "Company gift boxes",
        """
        C We would like 85 gift boxes for our team, each with a card. Is that possible by the 15th of next month?
        A +21 Hello Marcus, 85 is fine until the 15th. Do you want one delivery, or each box to its own address?
        # wholesale
        C To 85 addresses, in four countries.
        A +16 Then we need the list as a spreadsheet: name, street, town, country, and the text of each card. I'll send you a template and an offer today.
        C +2h Thanks, offer received. Our finance team looks at it tomorrow.
        A +11 Perfect. The offer is good until Friday.
        = waiting_for_customer | offer with their finance team
        """,
        agent="budi", queue="delivery", category="sales", snoozed=True,
    ),
    script(
        "whatsapp", "Zoe Carter", "2d 12:30", "Zoe Carter",
        """
        C Tracking says delivered, but there is no parcel here
        A +6 Hi Zoe, the courier's photo shows a blue door with the number 12. Is that yours?
        # delivery
        C No. I'm number 21 and my door is white.
        A Thank you, then it's at the wrong house. I have opened a case with the courier and asked the driver to fetch it.
        N Courier case 4471-Z. If nothing by tomorrow 14:00: send a new one, do not wait for the case.
        C Ok. I need it for a birthday on Saturday
        A I'll send a second one tonight so that it is there on Friday, whatever they find.
        C Oh wow, thank you
        = waiting_for_customer | second parcel on its way
        """,
        agent="budi", queue="delivery", category="support",
    ),
    script(
        "api", "Daniel Okafor", "2d 15:40", "Webhook retries for order events",
        """
        C Our shop connector received order.paid twice for BD-20533. Do you send events more than once?
        A +35 Hello Daniel, yes: at least once. Each has an id that stays the same, so please keep the ids of the last days and ignore known ones.
        # integration
        C Understood. Is the id in the header or in the body?
        A In the header, webhook-id. The body of both deliveries is the same too.
        C +18h Works. We keep them for seven days now.
        = closed | answered
        """,
        agent="ana", queue="billing",
    ),
    script(
        "email", "Sophie Laurent", "1d 10:00", "Wrong size of filter papers",
        """
        C Hello, I ordered filter papers size 02 and received 01. They are too small for my dripper. Order BD-20547.
        A +48 Hello Sophie, sorry about that. A pack of 02 leaves today; please keep the small ones or give them away.
        # wrong item
        C +2h That is kind, thank you.
        = resolved | replacement sent
        C +14h Hello again, the new pack is size 01 as well! I think the sticker on your box is wrong.
        """,
        agent="budi", queue="delivery", category="support",
    ),
    script(
        "whatsapp", "Aaron Blake", "3h", "Aaron Blake",
        """
        C hi is the shop in Bandung open on Sunday?
        B The Bandung shop is open Monday to Saturday, 8 to 18. On Sundays it is closed. (Source: Opening hours)
        C and where is it exactly
        B [location] -6.9034,107.6186 | Biji & Daun, Jalan Kenanga 12, Bandung
        C cheers
        """,
    ),
    script(
        "whatsapp", "Isla Murray", "14m", "Isla Murray",
        """
        C Hello? I've had the third failed delivery today. I was home all day. ALL day.
        A +5 Hello Isla, I'm sorry, that is not acceptable. I'm calling the depot now.
        # delivery, urgent
        C You said that on Monday.
        C I want to speak to someone who can decide something.
        = escalated | third failed delivery
        N Depot claims nobody opened. Doorbell camera of the customer says otherwise, she has offered the recording.
        C I have the doorbell recording. Nobody came.
        """,
        agent="budi", queue="delivery", category="support",
    ),
    script(
        "website", "Ruby Adeyemi", "6m", "Gift card does not work",
        """
        C Hi, I have a gift card for 30 and the checkout says "code not valid". Code starts with BD-GIFT-77
        """,
        queue="billing",
    ),
    script(
        "whatsapp", "Unknown Sender", "2h", "Crypto Rewards Team",
        """
        C [flag] Dear winner, your number was selected. Claim 2,500 USD at http://prize.example.com/claim before midnight
        C [flag] Last chance!!! http://prize.example.com/claim
        """,
        flag="link outside the allowed domains",
    ),
    script(
        "telegram", "Jack Thornton", "47m", "Machine leaks after descaling",
        """
        C The Nonna 2 I bought from you drips from the group since I descaled it yesterday.
        A +6 Hi Jack, that's nearly always the gasket: it dries out with the descaler. Does it drip while brewing, or all the time?
        # equipment
        C Only while brewing
        A Then a new gasket fixes it, 4.90 or free in the first year. When did you buy it?
        C Last November, so it's still in the first year I think
        """,
        agent="budi", queue="delivery",
    ),
    script(
        "website", "Maya Hart", "22m", "Is my box on its way again?",
        """
        C Hello, I'm back early. Can the subscription start again this week?
        B Yes: Account → Subscription → Resume. The next box is packed on the following Tuesday. (Source: Pausing and skipping)
        C I'd like it before Tuesday if possible, I've no coffee left!
        B A box outside the usual day needs a colleague. I am passing you on.
        A +4 Welcome back Maya! I can put one bag into tonight's post. The usual Garut, ground for the press?
        C You're a lifesaver. Yes please
        A Packed and labelled. It should reach you on the day after tomorrow.
        """,
        agent="ana", queue="billing",
    ),
]
