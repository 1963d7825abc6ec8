// XTP's two libraries, played by one small broker: one cash account, orders and quotes that the test moves.
//
// Nothing happens by itself but what the interface answers in the call itself (login, order entry, queries). The
// driver accepts, fills, rejects and disconnects through the functions at the end. No lock is held while the
// client is called: its callbacks wait for Python's lock, which a caller of ours may hold.
//
// As the vendor's headers say: no order event for a partial fill (trades alone tell it); a login after a broken
// line continues where it broke; the first login of a process tells the whole day (XTP_TERT_RESTART).
#include <algorithm>
#include <cstdio>
#include <cstring>
#include <functional>
#include <map>
#include <mutex>
#include <set>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "quote_defaults.hpp"
#include "trader_defaults.hpp"

namespace {

using XTP::API::QuoteApi;
using XTP::API::QuoteSpi;
using XTP::API::TraderApi;
using XTP::API::TraderSpi;
using Call = std::function<void()>;
using Lock = std::lock_guard<std::mutex>;

const std::string kUser = "demo", kPassword = "right";
constexpr int64_t kDay = 20251030;

struct Stock {
    const char *ticker, *name;
    XTP_EXCHANGE_TYPE exchange;
    XTP_TICKER_TYPE type;
    double tick;
    int lot;
};
const Stock kStocks[] = {{"601288", "农业银行", XTP_EXCHANGE_SH, XTP_TICKER_TYPE_STOCK, 0.01, 100},
                         {"601600", "中国铝业", XTP_EXCHANGE_SH, XTP_TICKER_TYPE_STOCK, 0.01, 100},
                         {"000001", "平安银行", XTP_EXCHANGE_SZ, XTP_TICKER_TYPE_STOCK, 0.01, 100}};

struct Message {  // what the account was told today; plain data, stored as it is
    bool is_trade;
    XTPOrderInfo order;
    XTPRI error;
    XTPTradeReport trade;
};

struct Holding {
    char ticker[XTP_TICKER_LEN];
    XTP_MARKET_TYPE market;
    int64_t total, sellable, yesterday;
    double price;
};

template <std::size_t N>
void put(char (&field)[N], const std::string& text) {
    std::snprintf(field, N, "%s", text.c_str());
}

struct Broker {
    std::mutex mutex;
    TraderSpi* trader = nullptr;
    QuoteSpi* quoter = nullptr;
    std::vector<Message> day;
    std::vector<XTPOrderInfo> orders;
    std::vector<Holding> holdings;
    std::vector<Call> answers;
    std::set<std::string> subscribed;
    std::size_t told = 0;
    uint64_t session = 0;
    int refused_inserts = 0, refused_logins = 0, fills = 0;
    bool up = true;
    double cash = 1'000'000, bought = 0;
    XTPRI last_error{};

    XTPOrderInfo* find(uint64_t id) {
        for (auto& order : orders)
            if (order.order_xtp_id == id) return &order;
        return nullptr;
    }
    Holding& holding(const XTPOrderInfo& order) {
        for (auto& held : holdings)
            if (held.ticker == std::string(order.ticker)) return held;
        Holding fresh{};
        put(fresh.ticker, order.ticker);
        fresh.market = order.market;
        holdings.push_back(fresh);
        return holdings.back();
    }
    double withheld() const {
        double sum = 0;
        for (const auto& order : orders)
            if (order.side == XTP_SIDE_BUY && working(order)) sum += order.price * (order.quantity - order.qty_traded);
        return sum;
    }
    static bool working(const XTPOrderInfo& order) {
        return order.order_status == XTP_ORDER_STATUS_INIT || order.order_status == XTP_ORDER_STATUS_NOTRADEQUEUEING ||
               order.order_status == XTP_ORDER_STATUS_PARTTRADEDQUEUEING;
    }
    int64_t now() const { return kDay * 1'000'000'000 + 102'900'000 + static_cast<int64_t>(day.size()); }

    void note(const XTPOrderInfo& order, const XTPRI& error = {}) {
        Message message{};
        message.order = order;
        message.error = error;
        day.push_back(message);
    }
    // What the client has not been told, as calls to make without the lock.
    std::vector<Call> untold() {
        std::vector<Call> calls;
        if (!up || !trader) return calls;
        for (; told < day.size(); ++told)
            calls.push_back([message = day[told], spi = trader, id = session]() mutable {
                if (message.is_trade)
                    spi->OnTradeEvent(&message.trade, id);
                else
                    spi->OnOrderEvent(&message.order, &message.error, id);
            });
        return calls;
    }
};

Broker& broker() {
    static Broker one;
    return one;
}

void run(const std::vector<Call>& calls) {
    for (const auto& call : calls) call();
}

XTPRI failure(int code, const std::string& text) {
    XTPRI info{};
    info.error_id = code;
    put(info.error_msg, text);
    return info;
}

class Trader final : public TraderDefaults {
public:
    void Release() override {
        broker().trader = nullptr;
        delete this;
    }
    const char* GetTradingDay() override { return "20251030"; }
    void RegisterSpi(TraderSpi* spi) override { broker().trader = spi; }
    XTPRI* GetApiLastError() override { return &broker().last_error; }
    const char* GetApiVersion() override { return "stand-in"; }
    void SubscribePublicTopic(XTP_TE_RESUME_TYPE type) override {
        if (type == XTP_TERT_RESTART) broker().told = 0;
    }
    void SetSoftwareVersion(const char*) override {}
    void SetSoftwareKey(const char*) override {}
    void SetHeartBeatInterval(uint32_t) override {}

    uint64_t Login(const char*, int port, const char* user, const char* password, XTP_PROTOCOL_TYPE,
                   const char*) override {
        Broker& b = broker();
        Lock lock(b.mutex);
        if (b.refused_logins > 0 || port == 1) {
            b.refused_logins = std::max(0, b.refused_logins - 1);
            b.last_error = failure(10200000, "connect to server failed");
            return 0;
        }
        if (user != kUser || password != kPassword) {
            b.last_error = failure(11000010, "资金账号或密码错误");
            return 0;
        }
        b.up = true;
        return ++b.session;  // what was missed is told with the next `settle`
    }
    int Logout(uint64_t) override { return 0; }

    uint64_t InsertOrder(XTPOrderInsertInfo* request, uint64_t) override {
        Broker& b = broker();
        Lock lock(b.mutex);
        if (!b.up || b.refused_inserts > 0) {
            if (b.refused_inserts > 0) --b.refused_inserts;
            b.last_error = failure(10210000, "send order failed");
            return 0;
        }
        XTPOrderInfo order{};
        order.order_xtp_id = 36'000'000'000'000'000ULL + b.orders.size() + 1;
        put(order.ticker, request->ticker);
        order.market = request->market;
        order.price = request->price;
        order.quantity = order.qty_left = request->quantity;
        order.price_type = request->price_type;
        order.side = request->side;
        order.position_effect = request->position_effect;
        order.business_type = request->business_type;
        order.insert_time = b.now();
        order.order_status = XTP_ORDER_STATUS_INIT;
        b.orders.push_back(order);
        return order.order_xtp_id;
    }

    uint64_t CancelOrder(const uint64_t id, uint64_t session) override {
        Broker& b = broker();
        Lock lock(b.mutex);
        if (!b.up) return 0;
        b.answers.push_back([id, session] {
            std::vector<Call> calls;
            {
                Broker& b = broker();
                Lock lock(b.mutex);
                XTPOrderInfo* order = b.find(id);
                if (order && Broker::working(*order)) {
                    order->order_status =
                        order->qty_traded ? XTP_ORDER_STATUS_PARTTRADEDNOTQUEUEING : XTP_ORDER_STATUS_CANCELED;
                    order->qty_left = order->quantity - order->qty_traded;
                    order->cancel_time = b.now();
                    b.note(*order);
                    calls = b.untold();
                } else {
                    calls.push_back([id, session, spi = b.trader] {
                        XTPOrderCancelInfo info{0, id};
                        auto error = failure(11000327, "撤单失败，原订单已完成");
                        spi->OnCancelOrderError(&info, &error, session);
                    });
                }
            }
            run(calls);
        });
        return id + 1;
    }

    int QueryAsset(uint64_t session, int request) override {
        XTPQueryAssetRsp asset{};
        TraderSpi* spi;
        {
            Broker& b = broker();
            Lock lock(b.mutex);
            if (!b.up) return -1;
            asset.withholding_amount = b.withheld();
            asset.buying_power = b.cash - asset.withholding_amount;
            asset.total_asset = b.cash;
            asset.account_type = XTP_ACCOUNT_NORMAL;
            spi = b.trader;
        }
        auto ok = failure(0, "");
        spi->OnQueryAsset(&asset, &ok, request, true, session);
        return 0;
    }

    int QueryPosition(const char*, uint64_t session, int request, XTP_MARKET_TYPE) override {
        std::vector<Holding> holdings;
        TraderSpi* spi;
        {
            Broker& b = broker();
            Lock lock(b.mutex);
            if (!b.up) return -1;
            holdings = b.holdings;
            spi = b.trader;
        }
        auto ok = failure(0, "");
        XTPQueryStkPositionRsp row{};
        if (holdings.empty()) spi->OnQueryPosition(&row, &ok, request, true, session);
        for (std::size_t i = 0; i < holdings.size(); ++i) {
            row = {};
            put(row.ticker, holdings[i].ticker);
            row.market = holdings[i].market;
            row.total_qty = holdings[i].total;
            row.sellable_qty = holdings[i].sellable;
            row.yesterday_position = holdings[i].yesterday;
            row.avg_price = holdings[i].price;
            row.position_direction = XTP_POSITION_DIRECTION_NET;
            spi->OnQueryPosition(&row, &ok, request, i + 1 == holdings.size(), session);
        }
        return 0;
    }

    int QueryOptionAuctionInfo(XTPQueryOptionAuctionInfoReq*, uint64_t, int) override { return 0; }
};

class Quoter final : public QuoteDefaults {
public:
    void Release() override {
        broker().quoter = nullptr;
        delete this;
    }
    const char* GetTradingDay() override { return "20251030"; }
    void RegisterSpi(QuoteSpi* spi) override { broker().quoter = spi; }
    XTPRI* GetApiLastError() override { return &broker().last_error; }
    const char* GetApiVersion() override { return "stand-in"; }
    void SetHeartBeatInterval(uint32_t) override {}
    void SetUDPBufferSize(uint32_t) override {}

    int Login(const char*, int port, const char* user, const char* password, XTP_PROTOCOL_TYPE, const char*) override {
        Lock lock(broker().mutex);
        broker().subscribed.clear();  // "whatever the cause of a new login, quotes have to be asked for again"
        if (port != 1 && user == kUser && password == kPassword) return 0;
        broker().last_error = failure(11000010, "资金账号或密码错误");
        return -1;
    }
    int Logout() override { return 0; }
    int QueryAllTickers(XTP_EXCHANGE_TYPE exchange) override {
        std::vector<const Stock*> found;
        for (const Stock& stock : kStocks)
            if (stock.exchange == exchange) found.push_back(&stock);
        auto ok = failure(0, "");
        for (std::size_t i = 0; i < found.size(); ++i) {
            XTPQSI row{};
            row.exchange_id = exchange;
            put(row.ticker, found[i]->ticker);
            put(row.ticker_name, found[i]->name);
            row.ticker_type = found[i]->type;
            row.price_tick = found[i]->tick;
            row.buy_qty_unit = row.sell_qty_unit = found[i]->lot;
            broker().quoter->OnQueryAllTickers(&row, &ok, i + 1 == found.size());
        }
        return 0;
    }
    int SubscribeMarketData(char* tickers[], int count, XTP_EXCHANGE_TYPE) override {
        Lock lock(broker().mutex);
        for (int i = 0; i < count; ++i) broker().subscribed.insert(tickers[i]);
        return 0;
    }
};

}  // namespace

TraderApi* TraderApi::CreateTraderApi(uint8_t, const char*, XTP_LOG_LEVEL) { return new Trader(); }
QuoteApi* QuoteApi::CreateQuoteApi(uint8_t, const char*, XTP_LOG_LEVEL) { return new Quoter(); }

// --- what the test does ------------------------------------------------------------------------------------

extern "C" {

// Give the answers that wait (cancels, what a login brings), and accept orders that have just arrived.
void standin_settle() {
    std::vector<Call> calls;
    {
        Lock lock(broker().mutex);
        calls = std::exchange(broker().answers, {});
    }
    run(calls);
    {
        Broker& b = broker();
        Lock lock(b.mutex);
        for (auto& order : b.orders)
            if (order.order_status == XTP_ORDER_STATUS_INIT) {
                order.order_status = XTP_ORDER_STATUS_NOTRADEQUEUEING;
                b.note(order);
            }
        calls = b.untold();
    }
    run(calls);
}

// Fill some of an order; a full fill has its order event before the trade or after it. `fee` in CNY.
int standin_fill(uint64_t id, int64_t quantity, double price, double fee, int event_first) {
    std::vector<Call> calls;
    {
        Broker& b = broker();
        Lock lock(b.mutex);
        XTPOrderInfo* order = b.find(id);
        if (!order || !Broker::working(*order) || order->qty_traded + quantity > order->quantity) return -1;
        const bool buy = order->side == XTP_SIDE_BUY;
        Holding& held = b.holding(*order);
        order->qty_traded += quantity;
        order->qty_left -= quantity;
        order->trade_amount += price * quantity;
        held.total += buy ? quantity : -quantity;
        if (!buy) held.sellable -= quantity;
        if (buy) held.price = price;
        b.cash += (buy ? -1 : 1) * price * quantity - fee;
        Message message{};
        message.is_trade = true;
        XTPTradeReport& trade = message.trade;
        trade.order_xtp_id = id;
        put(trade.ticker, order->ticker);
        put(trade.exec_id, "T" + std::to_string(++b.fills));
        trade.market = order->market;
        trade.price = price;
        trade.quantity = quantity;
        trade.trade_amount = price * quantity;
        trade.trade_time = b.now();
        trade.side = order->side;
        const bool full = order->qty_traded == order->quantity;
        order->order_status = full ? XTP_ORDER_STATUS_ALLTRADED : XTP_ORDER_STATUS_PARTTRADEDQUEUEING;
        if (full && event_first) b.note(*order);
        b.day.push_back(message);
        if (full && !event_first) b.note(*order);
        calls = b.untold();
    }
    run(calls);
    return 0;
}

// A cancel at the exchange whose order event overtakes the trade of `quantity` before it.
int standin_cancel_before_its_trade(uint64_t id, int64_t quantity, double price, double fee) {
    {
        Broker& b = broker();
        Lock lock(b.mutex);
        b.up = false;  // hold back what is told meanwhile
    }
    if (standin_fill(id, quantity, price, fee, 0)) return -1;
    std::vector<Call> calls;
    {
        Broker& b = broker();
        Lock lock(b.mutex);
        b.up = true;
        XTPOrderInfo* order = b.find(id);
        order->order_status = XTP_ORDER_STATUS_PARTTRADEDNOTQUEUEING;
        Message trade = b.day.back();
        b.day.pop_back();
        b.note(*order);
        b.day.push_back(trade);
        calls = b.untold();
    }
    run(calls);
    return 0;
}

int standin_reject(uint64_t id, int code, const char* text) {
    std::vector<Call> calls;
    {
        Broker& b = broker();
        Lock lock(b.mutex);
        XTPOrderInfo* order = b.find(id);
        if (!order || !Broker::working(*order)) return -1;
        order->order_status = XTP_ORDER_STATUS_REJECTED;
        b.note(*order, failure(code, text));
        calls = b.untold();
    }
    run(calls);
    return 0;
}

// A line that breaks; the client logs in again from its callback, refused so often.
void standin_disconnect(int reason, int refused_logins) {
    TraderSpi* trader;
    QuoteSpi* quoter;
    uint64_t session;
    {
        Broker& b = broker();
        Lock lock(b.mutex);
        b.up = false;
        b.refused_logins = refused_logins;
        trader = b.trader;
        quoter = b.quoter;
        session = b.session;
    }
    quoter->OnDisconnected(reason);
    trader->OnDisconnected(session, reason);
}

void standin_cut() {
    Lock lock(broker().mutex);
    broker().up = false;
}

void standin_refuse_inserts(int count) {
    Lock lock(broker().mutex);
    broker().refused_inserts = count;
}

void standin_hold(const char* ticker, int market, int64_t total, int64_t sellable, double price) {
    Broker& b = broker();
    Lock lock(b.mutex);
    Holding held{};
    put(held.ticker, ticker);
    held.market = static_cast<XTP_MARKET_TYPE>(market);
    held.total = total;
    held.sellable = held.yesterday = sellable;
    held.price = price;
    b.holdings.push_back(held);
}

int standin_quote(const char* ticker, int exchange, double last, double close, double up, double down, double bid,
                  double ask, int64_t volume, int64_t time) {
    XTPMD quote{};
    QuoteSpi* spi;
    {
        Broker& b = broker();
        Lock lock(b.mutex);
        if (!b.quoter || !b.subscribed.count(ticker)) return 0;
        spi = b.quoter;
    }
    quote.exchange_id = static_cast<XTP_EXCHANGE_TYPE>(exchange);
    put(quote.ticker, ticker);
    quote.last_price = last;
    quote.open_price = quote.high_price = quote.low_price = last;
    quote.pre_close_price = close;
    quote.upper_limit_price = up;
    quote.lower_limit_price = down;
    quote.bid[0] = bid;
    quote.ask[0] = ask;
    quote.bid_qty[0] = quote.ask_qty[0] = 100'000;
    quote.qty = volume;
    quote.turnover = last * static_cast<double>(volume);
    quote.data_time = time;
    spi->OnDepthMarketData(&quote, nullptr, 0, 0, nullptr, 0, 0);
    return 1;
}

// id,ticker,side,position effect,business,price,quantity,traded,status of each order; bytes needed.
int standin_orders(char* buffer, int size) {
    std::ostringstream text;
    {
        Lock lock(broker().mutex);
        for (const auto& o : broker().orders)
            text << o.order_xtp_id << ',' << o.ticker << ',' << int(o.side) << ',' << int(o.position_effect) << ','
                 << int(o.business_type) << ',' << int(o.price_type) << ',' << o.price << ',' << o.quantity << ','
                 << o.qty_traded << ',' << int(o.order_status) << '\n';
    }
    const std::string all = text.str();
    if (buffer) std::snprintf(buffer, static_cast<std::size_t>(size), "%s", all.c_str());
    return static_cast<int>(all.size());
}

double standin_cash() {
    Lock lock(broker().mutex);
    return broker().cash;
}

// The broker's day in a file, for the next process of the same day.
int standin_save(const char* path) {
    Broker& b = broker();
    Lock lock(b.mutex);
    FILE* file = std::fopen(path, "wb");
    if (!file) return -1;
    const std::size_t sizes[] = {b.day.size(), b.orders.size(), b.holdings.size(), static_cast<std::size_t>(b.fills)};
    std::fwrite(sizes, sizeof sizes, 1, file);
    std::fwrite(&b.cash, sizeof b.cash, 1, file);
    for (const auto& each : b.day) std::fwrite(&each, sizeof each, 1, file);
    for (const auto& each : b.orders) std::fwrite(&each, sizeof each, 1, file);
    for (const auto& each : b.holdings) std::fwrite(&each, sizeof each, 1, file);
    return std::fclose(file);
}

int standin_load(const char* path) {
    Broker& b = broker();
    Lock lock(b.mutex);
    FILE* file = std::fopen(path, "rb");
    if (!file) return -1;
    std::size_t sizes[4];
    std::size_t read = std::fread(sizes, sizeof sizes, 1, file) + std::fread(&b.cash, sizeof b.cash, 1, file);
    b.day.resize(sizes[0]);
    b.orders.resize(sizes[1]);
    b.holdings.resize(sizes[2]);
    b.fills = static_cast<int>(sizes[3]);
    for (auto& each : b.day) read += std::fread(&each, sizeof each, 1, file);
    for (auto& each : b.orders) read += std::fread(&each, sizeof each, 1, file);
    for (auto& each : b.holdings) read += std::fread(&each, sizeof each, 1, file);
    std::fclose(file);
    return read == 2 + sizes[0] + sizes[1] + sizes[2] ? 0 : -1;
}

}  // extern "C"
