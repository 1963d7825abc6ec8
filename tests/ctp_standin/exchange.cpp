#include "exchange.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <thread>
#include <utility>

namespace standin {
namespace {

// The one investor. Test data, known to tests/ctp_standin/driver.py.
const std::string kBroker = "9999", kUser = "demo", kPassword = "right", kAuthCode = "0000000000000000";
constexpr double kDeposit = 10'000'000;
constexpr int kFront = 1;
constexpr double kEpsilon = 1e-9;

// Codes and sentences of the vendor's error table as far as a client meets them here (from memory).
const Failure kNotAuthenticated{63, "CTP:客户端认证失败"};
const Failure kBadLogin{3, "CTP:不合法的登录"};
const Failure kNotConfirmed{42, "CTP:结算结果未确认"};
const Failure kUnknownContract{16, "CTP:找不到合约"};
const Failure kBadField{15, "CTP:报单字段有误"};
const Failure kNoMoney{31, "CTP:资金不足"};
const Failure kOverClose{30, "CTP:平仓量超过持仓量"};
const Failure kOverCloseToday{50, "CTP:平今仓位不足"};
const Failure kOverCloseYesterday{51, "CTP:平昨仓位不足"};
const Failure kNoSuchOrder{25, "CTP:撤单找不到相应报单"};
const Failure kOrderEnded{26, "CTP:报单已全成交或已撤销，不能再撤"};
const std::string kCancelled = "已撤单";
const std::string kRefusedByExchange = "已撤单报单被拒绝 ";
const std::string kOutsideBandReason = ":报单价格超出涨跌停板";
const std::string kWrongStateReason = ":当前状态禁止此项操作";

using Lock = std::lock_guard<std::recursive_mutex>;

bool takes_today(const Order& order) { return order.offset == Offset::CloseToday; }
Side opposite(Side side) { return side == Side::Buy ? Side::Sell : Side::Buy; }

std::string numbered(const char* format, int number) {
    char text[24];
    std::snprintf(text, sizeof text, format, number);
    return text;
}

}  // namespace

Exchange& Exchange::instance() {
    static Exchange exchange;
    return exchange;
}

Exchange::Exchange()
    : contracts_{{"IF2101", "CFFEX", "IF", "沪深300指数2101", 300, 0.2, 0.12, false, 0.000023, 0.000345},
                 {"rb2105", "SHFE", "rb", "螺纹钢2105", 10, 1, 0.1, true, 0.0001, 0.0001}} {
    holdings_[{"rb2105", Side::Buy}] = Holding{3, 0, 3 * 4300.0 * 10};  // held over night, at settlement
    if (const char* quotes = std::getenv("CTP_STANDIN_QUOTES")) run_by_itself(quotes);
}

void Exchange::run_by_itself(const std::string& quotes) {
    std::thread([this, quotes] {
        for (;;) {
            if (publish(1) == 0 && load(quotes) <= 0) return;
            settle_orders();
            std::this_thread::sleep_for(std::chrono::microseconds(200));
        }
    }).detach();
}

// --- what the test does ------------------------------------------------------------------------------------

int Exchange::load(const std::string& path) {
    Lock lock(mutex_);
    std::ifstream file(path);
    if (!file) return -1;
    std::string line;
    while (std::getline(file, line)) {
        std::replace(line.begin(), line.end(), ',', ' ');
        std::istringstream row(line);
        Quote q;
        if (row >> q.symbol >> q.date >> q.time >> q.millisecond >> q.last >> q.volume >> q.turnover >>
            q.open_interest >> q.bid >> q.bid_volume >> q.ask >> q.ask_volume >> q.limit_up >> q.limit_down >>
            q.open >> q.high >> q.low >> q.pre_close)
            recorded_.push_back(q);
    }
    return static_cast<int>(recorded_.size());
}

int Exchange::publish(int count) {
    int shown = 0;
    for (; shown < count; ++shown) {
        Lock lock(mutex_);
        if (recorded_.empty()) break;
        Quote quote = recorded_.front();
        recorded_.pop_front();
        ++shown_;
        quotes_[quote.symbol] = quote;
        if (up_ && quoter_ && subscribed_.count(quote.symbol)) quoter_->on_quote(quote);
        for (Order& order : orders_)
            if (order.symbol == quote.symbol && order.state != OrderState::Received) match(order);
    }
    return shown;
}

void Exchange::settle_orders() {
    Lock lock(mutex_);
    for (const auto& answer : std::exchange(answers_, {}))
        if (up_ && trader_) answer();
    for (Order& order : orders_)
        if (order.state == OrderState::Received) accept(order);
}

void Exchange::connect() {
    Lock lock(mutex_);
    if (up_) return;
    up_ = true;
    if (trader_) trader_->front_connected();
    if (quoter_) quoter_->front_connected();
}

void Exchange::disconnect(int reason) {
    Lock lock(mutex_);
    if (!up_) return;
    up_ = authenticated_ = logged_in_ = flowing_ = settled_ = false;
    subscribed_.clear();
    if (trader_) trader_->front_disconnected(reason);
    if (quoter_) quoter_->front_disconnected(reason);
}

std::string Exchange::describe_orders() {
    Lock lock(mutex_);
    static const char* const offsets[] = {"OPEN", "CLOSE", "CLOSETODAY", "CLOSEYESTERDAY"};
    static const char* const states[] = {"RECEIVED", "QUEUEING", "PARTIAL", "FILLED", "CANCELLED", "REJECTED"};
    std::ostringstream text;
    for (const Order& order : orders_)
        text << order.front << '_' << order.session << '_' << order.ref << ',' << order.symbol << ','
             << (order.side == Side::Buy ? "BUY" : "SELL") << ',' << offsets[static_cast<int>(order.offset)] << ','
             << order.price << ',' << order.volume << ',' << order.traded << ','
             << states[static_cast<int>(order.state)] << '\n';
    return text.str();
}

namespace {

std::string row(const char* kind, const Order& o) {
    std::ostringstream text;
    text.precision(17);
    text << kind << '\t' << o.front << '\t' << o.session << '\t' << o.ref << '\t' << o.symbol << '\t' << o.exchange
         << '\t' << static_cast<int>(o.side) << '\t' << static_cast<int>(o.offset) << '\t' << o.price << '\t' << o.volume
         << '\t' << o.traded << '\t' << static_cast<int>(o.state) << '\t' << o.system_id << '\t' << o.date << '\t'
         << o.time << '\t' << o.message << '\n';
    return text.str();
}

std::string row(const Fill& f) {
    std::ostringstream text;
    text.precision(17);
    text << "fill\t" << f.trade_id << '\t' << f.order_system_id << '\t' << f.ref << '\t' << f.symbol << '\t' << f.exchange
         << '\t' << f.date << '\t' << f.time << '\t' << static_cast<int>(f.side) << '\t' << static_cast<int>(f.offset)
         << '\t' << f.price << '\t' << f.volume << '\n';
    return text.str();
}

Order order_of(const std::vector<std::string>& c) {
    Order o{};
    o.front = std::stoi(c[1]);
    o.session = std::stoi(c[2]);
    o.ref = c[3];
    o.symbol = c[4];
    o.exchange = c[5];
    o.side = static_cast<Side>(std::stoi(c[6]));
    o.offset = static_cast<Offset>(std::stoi(c[7]));
    o.price = std::stod(c[8]);
    o.volume = std::stoi(c[9]);
    o.traded = std::stoi(c[10]);
    o.state = static_cast<OrderState>(std::stoi(c[11]));
    o.system_id = c[12];
    o.date = c[13];
    o.time = c[14];
    o.message = c[15];
    return o;
}

Fill fill_of(const std::vector<std::string>& c) {
    return Fill{c[1], c[2], c[3], c[4], c[5], c[6], c[7], static_cast<Side>(std::stoi(c[8])),
                static_cast<Offset>(std::stoi(c[9])), std::stod(c[10]), std::stoi(c[11])};
}

}  // namespace

bool Exchange::save(const std::string& path) {
    Lock lock(mutex_);
    std::ofstream file(path);
    file.precision(17);
    file << "state\t" << sessions_ << '\t' << next_order_ << '\t' << next_fill_ << '\t' << shown_ << '\t' << close_profit_
         << '\t' << fees_ << '\n';
    for (const auto& [key, held] : holdings_)
        file << "held\t" << key.first << '\t' << static_cast<int>(key.second) << '\t' << held.yesterday << '\t' << held.today
             << '\t' << held.cost << '\n';
    for (const Order& order : orders_) file << row("order", order);
    for (const auto& message : flow_)
        if (const auto* order = std::get_if<Order>(&message))
            file << row("told", *order);
        else
            file << row(std::get<Fill>(message));
    return file.good();
}

bool Exchange::restore(const std::string& path) {
    Lock lock(mutex_);
    std::ifstream file(path);
    if (!file) return false;
    holdings_.clear();
    for (std::string line; std::getline(file, line);) {
        std::vector<std::string> c;
        std::istringstream columns(line + '\t');
        for (std::string column; std::getline(columns, column, '\t');) c.push_back(column);
        if (c[0] == "state") {
            sessions_ = std::stoi(c[1]);
            next_order_ = std::stoi(c[2]);
            next_fill_ = std::stoi(c[3]);
            shown_ = std::stoi(c[4]);
            close_profit_ = std::stod(c[5]);
            fees_ = std::stod(c[6]);
        } else if (c[0] == "held") {
            holdings_[{c[1], static_cast<Side>(std::stoi(c[2]))}] =
                Holding{std::stoi(c[3]), std::stoi(c[4]), std::stod(c[5])};
        } else if (c[0] == "order") {
            orders_.push_back(order_of(c));
        } else if (c[0] == "told") {
            flow_.push_back(order_of(c));
        } else {
            flow_.push_back(fill_of(c));
        }
    }
    for (int i = 0; i < shown_ && !recorded_.empty(); ++i) {
        quotes_[recorded_.front().symbol] = recorded_.front();
        recorded_.pop_front();
    }
    return true;
}

// --- the trading front -------------------------------------------------------------------------------------

void Exchange::attach(TraderClient* client) {
    Lock lock(mutex_);
    trader_ = client;
    if (up_) client->front_connected();
}

void Exchange::detach(TraderClient* client) {
    Lock lock(mutex_);
    if (trader_ == client) trader_ = nullptr;
}

bool Exchange::reachable() {
    Lock lock(mutex_);
    return up_;
}

bool Exchange::throttled() {
    Lock lock(mutex_);
    return refusals_ > 0 && refusals_-- > 0;
}

Failure Exchange::authenticate(const std::string& broker, const std::string& user, const std::string& code) {
    Lock lock(mutex_);
    authenticated_ = broker == kBroker && user == kUser && code == kAuthCode;
    return authenticated_ ? Failure{} : kNotAuthenticated;
}

Failure Exchange::login(const std::string& broker, const std::string& user, const std::string& password,
                        Session& session) {
    Lock lock(mutex_);
    if (!authenticated_) return kNotAuthenticated;
    if (broker != kBroker || user != kUser || password != kPassword) return kBadLogin;
    logged_in_ = true;
    session = {kFront, ++sessions_};
    return {};
}

void Exchange::start_flow(bool from_the_beginning) {
    Lock lock(mutex_);
    flowing_ = true;
    if (!from_the_beginning || !trader_) return;
    for (const auto& message : flow_)
        if (const auto* order = std::get_if<Order>(&message))
            trader_->on_order(*order);
        else
            trader_->on_fill(std::get<Fill>(message));
}

void Exchange::confirm_settlement() {
    Lock lock(mutex_);
    settled_ = true;
}

Failure Exchange::insert(Order order) {
    Lock lock(mutex_);
    const Contract* contract = find(order.symbol);
    if (!contract || contract->exchange != order.exchange) return kUnknownContract;
    if (!settled_) return kNotConfirmed;
    if (order.volume <= 0 || order.price <= 0) return kBadField;
    if (front_refusals_ > 0 && front_refusals_-- > 0) return kNoMoney;
    if (order.offset == Offset::Open) {
        const double margin = order.price * order.volume * contract->multiplier * contract->margin_ratio;
        if (margin > compute_money().available) return kNoMoney;
    } else if (Failure failure = check_close(order, *contract)) {
        return failure;
    }
    const Quote* now = quote(order.symbol);
    order.date = now ? now->date : trading_day();
    order.time = now ? now->time : "09:00:00";
    orders_.push_back(order);
    tell(orders_.back());
    return {};
}

void Exchange::answer_later(std::function<void()> answer) {
    Lock lock(mutex_);
    answers_.push_back(std::move(answer));
}

Failure Exchange::cancel(int front, int session, const std::string& ref) {
    Lock lock(mutex_);
    for (Order& order : orders_) {
        if (order.front != front || order.session != session || order.ref != ref) continue;
        if (!order.working()) return kOrderEnded;
        order.state = OrderState::Cancelled;
        order.message = kCancelled;
        tell(order);
        return {};
    }
    return kNoSuchOrder;
}

std::vector<Contract> Exchange::contracts() {
    Lock lock(mutex_);
    return contracts_;
}

std::vector<HoldingView> Exchange::holdings() {
    Lock lock(mutex_);
    std::vector<HoldingView> views;
    for (const auto& [key, holding] : holdings_) {  // what was closed today stays listed, with volume 0
        const Quote* now = quote(key.first);
        views.push_back({*find(key.first), key.second, holding, frozen(key.first, key.second, false),
                         frozen(key.first, key.second, true), now ? now->last : 0});
    }
    return views;
}

Money Exchange::money() {
    Lock lock(mutex_);
    return compute_money();
}

std::string Exchange::trading_day() {
    Lock lock(mutex_);
    if (!quotes_.empty()) return quotes_.begin()->second.date;
    return recorded_.empty() ? "20210104" : recorded_.front().date;
}

// --- the quote front ---------------------------------------------------------------------------------------

void Exchange::attach(QuoteClient* client) {
    Lock lock(mutex_);
    quoter_ = client;
    if (up_) client->front_connected();
}

void Exchange::detach(QuoteClient* client) {
    Lock lock(mutex_);
    if (quoter_ == client) quoter_ = nullptr;
}

bool Exchange::subscribe(const std::string& symbol) {
    Lock lock(mutex_);
    if (!find(symbol)) return false;
    subscribed_.insert(symbol);
    return true;
}

void Exchange::unsubscribe(const std::string& symbol) {
    Lock lock(mutex_);
    subscribed_.erase(symbol);
}

// --- inside ------------------------------------------------------------------------------------------------

const Contract* Exchange::find(const std::string& symbol) const {
    for (const Contract& contract : contracts_)
        if (contract.symbol == symbol) return &contract;
    return nullptr;
}

const Quote* Exchange::quote(const std::string& symbol) const {
    const auto found = quotes_.find(symbol);
    return found == quotes_.end() ? nullptr : &found->second;
}

int Exchange::frozen(const std::string& symbol, Side held, bool today) const {
    int volume = 0;
    for (const Order& order : orders_)
        if (order.working() && order.symbol == symbol && order.offset != Offset::Open &&
            order.side == opposite(held) && takes_today(order) == today)
            volume += order.remaining();
    return volume;
}

Failure Exchange::check_close(const Order& order, const Contract& contract) {
    const Side held = opposite(order.side);
    const Holding& holding = holdings_[{order.symbol, held}];
    const int frozen_today = frozen(order.symbol, held, true);
    const int frozen_yesterday = frozen(order.symbol, held, false);
    if (!contract.today_apart)
        return order.volume > holding.volume() - frozen_today - frozen_yesterday ? kOverClose : Failure{};
    if (takes_today(order)) return order.volume > holding.today - frozen_today ? kOverCloseToday : Failure{};
    return order.volume > holding.yesterday - frozen_yesterday ? kOverCloseYesterday : Failure{};
}

void Exchange::accept(Order& order) {
    const Quote* now = quote(order.symbol);
    order.system_id = numbered("%12d", ++next_order_);
    const bool outside = now && (order.price > now->limit_up + kEpsilon || order.price < now->limit_down - kEpsilon);
    if (outside || (exchange_refusals_ > 0 && exchange_refusals_-- > 0)) {
        order.state = OrderState::Rejected;
        order.message = kRefusedByExchange + order.exchange + (outside ? kOutsideBandReason : kWrongStateReason);
        tell(order);
        return;
    }
    order.state = OrderState::Queueing;
    tell(order);
    match(order);
}

void Exchange::match(Order& order) {
    const auto found = quotes_.find(order.symbol);
    if (!order.working() || found == quotes_.end()) return;
    const bool buys = order.side == Side::Buy;
    int& offered = buys ? found->second.ask_volume : found->second.bid_volume;  // what is taken is gone
    const double price = buys ? found->second.ask : found->second.bid;
    const bool crosses = buys ? order.price >= price - kEpsilon : order.price <= price + kEpsilon;
    if (!crosses || price <= 0 || offered <= 0) return;
    const int volume = std::min(order.remaining(), offered);
    offered -= volume;
    order.traded += volume;
    order.state = order.remaining() ? OrderState::Partial : OrderState::Filled;
    apply(order, volume, price);
    tell(order);
    tell(Fill{numbered("%12d", ++next_fill_), order.system_id, order.ref, order.symbol, order.exchange,
              found->second.date, found->second.time, order.side, order.offset, price, volume});
}

double Exchange::charge(const Order& order, const Contract& contract, int volume, double worth) const {
    double ratio = contract.fee;
    if (order.offset != Offset::Open) {
        const Holding& holding = holdings_.at({order.symbol, opposite(order.side)});
        const int older = contract.today_apart ? (takes_today(order) ? 0 : volume) : std::min(volume, holding.yesterday);
        ratio = (contract.fee * older + contract.fee_today * (volume - older)) / volume;
    }
    return std::round(worth * ratio * 100 + kEpsilon) / 100;
}

void Exchange::apply(const Order& order, int volume, double price) {
    const Contract& contract = *find(order.symbol);
    const double worth = price * volume * contract.multiplier;
    fees_ += charge(order, contract, volume, worth);
    if (order.offset == Offset::Open) {
        Holding& holding = holdings_[{order.symbol, order.side}];
        holding.today += volume;
        holding.cost += worth;
        return;
    }
    const Side held = opposite(order.side);
    Holding& holding = holdings_[{order.symbol, held}];
    const double cost = holding.cost * volume / holding.volume();
    close_profit_ += held == Side::Buy ? worth - cost : cost - worth;
    holding.cost -= cost;
    if (contract.today_apart) {
        (takes_today(order) ? holding.today : holding.yesterday) -= volume;
        return;
    }
    const int older = std::min(volume, holding.yesterday);
    holding.yesterday -= older;
    holding.today -= volume - older;
}

void Exchange::tell(const Order& order) {
    flow_.push_back(order);
    if (flowing_ && trader_) trader_->on_order(order);
}

void Exchange::tell(const Fill& fill) {
    flow_.push_back(fill);
    if (flowing_ && trader_) trader_->on_fill(fill);
}

Money Exchange::compute_money() const {
    Money money{kDeposit + close_profit_ - fees_, 0, 0, close_profit_, 0, fees_};
    double frozen_margin = 0;
    for (const auto& [key, holding] : holdings_) {
        const Contract& contract = *find(key.first);
        money.margin += holding.cost * contract.margin_ratio;
        const Quote* now = quote(key.first);
        if (!now) continue;
        const double worth = now->last * holding.volume() * contract.multiplier;
        money.position_profit += key.second == Side::Buy ? worth - holding.cost : holding.cost - worth;
    }
    for (const Order& order : orders_) {
        const Contract& contract = *find(order.symbol);
        if (order.working() && order.offset == Offset::Open)
            frozen_margin += order.price * order.remaining() * contract.multiplier * contract.margin_ratio;
    }
    money.balance += money.position_profit;
    money.available = money.balance - money.margin - frozen_margin;
    return money;
}

}  // namespace standin

// --- the test's handle, through ctypes ------------------------------------------------------------------------

extern "C" {

int standin_load(const char* path) { return standin::Exchange::instance().load(path); }
int standin_publish(int count) { return standin::Exchange::instance().publish(count); }
void standin_settle_orders() { standin::Exchange::instance().settle_orders(); }
void standin_connect() { standin::Exchange::instance().connect(); }
void standin_disconnect(int reason) { standin::Exchange::instance().disconnect(reason); }
int standin_save(const char* path) { return standin::Exchange::instance().save(path) ? 0 : -1; }
int standin_restore(const char* path) { return standin::Exchange::instance().restore(path) ? 0 : -1; }
void standin_refuse_orders(int front, int exchange) { standin::Exchange::instance().refuse_orders(front, exchange); }
void standin_refuse_queries(int count) { standin::Exchange::instance().refuse_queries(count); }

// Every order the exchange was given, one a line; the length needed, which may exceed `size`.
int standin_orders(char* buffer, int size) {
    const std::string text = standin::Exchange::instance().describe_orders();
    if (size > 0) std::snprintf(buffer, static_cast<std::size_t>(size), "%s", text.c_str());
    return static_cast<int>(text.size());
}

}  // extern "C"
